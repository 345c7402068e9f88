"""From what a command line gives to an event that is sent, and what became of it."""

import base64
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from cli.api import Api
from cli.errors import INVALID, UNDELIVERED, CommandError

ENDED = frozenset({"delivered", "dead", "cancelled"})


def read_data(text: str) -> bytes:
    """The data as given, from `@FILE`, or from standard input as `@-`."""
    if not text.startswith("@"):
        return text.encode()
    try:
        return sys.stdin.buffer.read() if text == "@-" else Path(text[1:]).read_bytes()
    except OSError as error:
        raise CommandError(f"{text[1:]}: {error.strerror}") from error


def structured(attributes: dict[str, str], data: bytes | None, content_type: str | None) -> bytes:
    """The event in the CloudEvents JSON format. JSON data goes in as it was written."""
    head = dict(attributes)
    member = ""
    if data is not None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            head["datacontenttype"] = content_type or "application/octet-stream"
            member = f',"data_base64":"{base64.b64encode(data).decode()}"'
        else:
            is_json = _is_json(text)
            if content_type and content_type.partition(";")[0].endswith("json") and not is_json:
                raise CommandError("the data is no JSON", code=INVALID, hint="name its --content-type")
            as_json = is_json and (content_type is None or "json" in content_type)
            head["datacontenttype"] = content_type or ("application/json" if is_json else "text/plain")
            member = f',"data":{text if as_json else json.dumps(text)}'
    return (json.dumps(head)[:-1] + member + "}").encode()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def new_event(attributes: dict[str, str]) -> dict[str, str]:
    """The attributes with a version, an id and the time added where they are not given."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"specversion": "1.0", "id": str(uuid4()), "time": now, **attributes}


def send(api: Api, attributes: dict[str, str], data: bytes | None, content_type: str | None = None) -> Any:
    """Send an event to the context's project; the answer. Raises CommandError."""
    return api.raw(
        "POST",
        f"/in/{quote(api.context.project, safe='')}",
        {"content-type": "application/cloudevents+json"},
        structured(attributes, data, content_type),
    )


def wait_for(api: Api, uid: str, seconds: float) -> dict[str, Any]:
    """The event when every delivery of it has ended. Raises CommandError with code 6 when time is up."""
    verdicts = api.get(f"/events/{uid}/explain")["items"]
    matched = {v["subscription"] for v in verdicts if v["matched"] and v.get("state") != "disabled"}
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        found: dict[str, Any] = api.get(f"/events/{uid}")
        deliveries = found["deliveries"]
        there = {d["subscription"] for d in deliveries}
        if matched <= there and all(d["status"] in ENDED for d in deliveries):
            return found
        if time.monotonic() >= deadline:
            waiting = sorted({d["status"] for d in deliveries if d["status"] not in ENDED})
            raise CommandError(
                f"not delivered within {seconds:g} s: {', '.join(waiting) or 'not dispatched yet'}",
                code=UNDELIVERED,
                hint=f"weir events get {uid}",
            )
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.5)
