"""`weir emit`: send an event, and see it through."""

import base64
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import click

from cli.api import Api
from cli.commands.events import DELIVERY_COLUMNS
from cli.errors import INVALID, UNDELIVERED, CommandError
from cli.options import Duration, api_options
from cli.output import output_option, show

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


def _extensions(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for entry in given:
        name, sign, value = entry.partition("=")
        if not sign:
            raise click.UsageError(f"--ext takes NAME=VALUE, not {entry!r}")
        found[name] = value
    return found


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


@click.command()
@click.option("-t", "--type", "type_", required=True, help="Type of the event.")
@click.option("-s", "--source", required=True, help="Source of the event.")
@click.option("-d", "--data", help="Data, @FILE, or @- for standard input; JSON is recognised.")
@click.option("--id", "event_id", help="Id of the event; a random one without.")
@click.option("--subject", help="Subject of the event.")
@click.option("--content-type", help="Media type of the data.")
@click.option("--ext", multiple=True, metavar="NAME=VALUE", help="An extension attribute.")
@click.option("--wait", type=Duration(), help="Wait so long for its deliveries to end; 6 when they fail.")
@output_option
@api_options
def emit(
    api: Api,
    *,
    type_: str,
    source: str,
    data: str | None,
    event_id: str | None,
    subject: str | None,
    content_type: str | None,
    ext: tuple[str, ...],
    wait: float | None,
    output: str,
) -> None:
    """Send an event.

    \b
    Example:
      weir emit -t order.created -s /shop -d '{"id": 7}' --wait 10s
      weir emit -t report.ready -s /reports -d @report.pdf --content-type application/pdf
    """  # noqa: D301 \b keeps click from joining the lines
    given = {"id": event_id, "source": source, "type": type_, "subject": subject}
    attributes = new_event(
        {name: value for name, value in given.items() if value is not None} | _extensions(ext)
    )
    answer = send(api, attributes, None if data is None else read_data(data), content_type)
    sent = {"uid": answer["uid"], "id": attributes["id"], "duplicate": answer["duplicate"]}
    if wait is None:
        show(output, sent, rows=[sent], columns=[(n, n) for n in sent], name=sent["uid"])
        return
    click.echo(f"sent {sent['uid']}, waiting for its deliveries", err=True)
    found = wait_for(api, sent["uid"], wait)
    rows = found["deliveries"]
    show(output, {**sent, "deliveries": rows}, rows=rows, columns=DELIVERY_COLUMNS, name=sent["uid"])
    if not rows:
        click.echo("no subscription matched", err=True)
    failed = [d for d in rows if d["status"] != "delivered"]
    if failed:
        raise CommandError(
            f"{len(failed)} of {len(rows)} deliveries failed",
            code=UNDELIVERED,
            details=tuple(
                f"{d['subscriptionName']}: {d['lastError'] or d['lastStatusCode']}" for d in failed
            ),
            hint=f"weir deliveries get {failed[0]['id']}",
        )
