"""Sends the published events through a running Weir: `python -m cli.demo.traffic`.

It works in the context that the environment gives. All events go once, briskly; then one now and then.
"""

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from cli.api import Api
from cli.contexts import current
from cli.demo.sinks import SUBSCRIBERS, Subscriber
from cli.errors import INVALID, CommandError
from cli.local.child import free_port
from cli.receiver import Receiver
from cli.sending import new_event, send

SAMPLES = Path(__file__).resolve().parents[2] / "infra" / "demo" / "samples.mjs"
BRISK_SECONDS = 0.05
CALM_SECONDS = 1.5


def read_samples() -> list[dict[str, Any]]:
    """The published events, without id and time. Raises CommandError."""
    try:
        done = subprocess.run(["node", str(SAMPLES)], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise CommandError("the demonstration needs Node", hint="run it with `make demo`") from error
    except subprocess.CalledProcessError as error:
        raise CommandError(
            "the published events are not installed",
            details=(error.stderr[-200:],),
            hint="run it with `make demo`",
        ) from error
    return [json.loads(line) for line in done.stdout.splitlines()]


def open_sink(subscriber: Subscriber) -> str:
    """The address of a new sink of that behaviour; of nobody when it has none."""
    if subscriber.behaviour is None:
        return f"http://127.0.0.1:{free_port()}/{subscriber.name}"
    receiver = Receiver(0, subscriber.behaviour, lambda _request: None)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    return f"{receiver.url}/{subscriber.name}"


def subscribe(api: Api, subscriber: Subscriber, sink: str) -> None:
    """Make the subscription, or point the one of an earlier run to `sink`."""
    body = {
        "name": subscriber.name,
        "filters": subscriber.filters,
        "sink": sink,
        "delivery": subscriber.delivery,
        "state": "active",
    }
    old = next((s for s in api.pages("/subscriptions", {}) if s["name"] == subscriber.name), None)
    if old is None:
        api.call("POST", "/subscriptions", {k: v for k, v in body.items() if k != "state"})
    else:
        api.call("PUT", f"/subscriptions/{old['id']}", body)


def main() -> None:
    """Send until SIGTERM."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    samples = read_samples()
    with Api(current()) as api:
        run(api, samples, ended)


def run(api: Api, samples: list[dict[str, Any]], ended: threading.Event) -> None:
    """Subscribe the sinks, then send until `ended`."""
    for subscriber in SUBSCRIBERS:
        subscribe(api, subscriber, open_sink(subscriber))
    random.shuffle(samples)
    sent = 0
    while not ended.wait(BRISK_SECONDS if sent < len(samples) else CALM_SECONDS * random.uniform(0.3, 1.7)):  # noqa: S311
        sample = samples[sent % len(samples)]
        attributes = {k: v for k, v in sample.items() if k != "data"}
        try:
            send(api, new_event(attributes), json.dumps(sample["data"]).encode())
        except CommandError as error:
            print(f"{sample['type']}: {error.message}", file=sys.stderr)
            if error.exit_code != INVALID:
                ended.wait(1)
                continue
        sent += 1


if __name__ == "__main__":
    try:
        main()
    except CommandError as problem:
        problem.show()
        sys.exit(problem.exit_code)
