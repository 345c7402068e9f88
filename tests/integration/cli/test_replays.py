"""`weir replay` and its like, and a replay that outlives the death of everything."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.support.weir import LocalWeir

COUNT = 40


class Receiver(ThreadingHTTPServer):
    """Outlives every Weir. Answers with `status` and keeps (webhook-id, weir-replay) of each request."""

    def __init__(self) -> None:
        self.status = 503
        self.got: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Receiver)
        self.server.got.append((self.headers["webhook-id"], self.headers["weir-replay"]))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def until(condition: Callable[[], Any], seconds: float = 90) -> Any:
    """The first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)
    return answer


def test_from_the_dry_run_to_the_end_through_the_death_of_everything(
    weir: LocalWeir, receiver: Receiver
) -> None:
    weir.up()
    weir.run("subscriptions", "create", "crm", "--sink", receiver.url, "--delivery", '{"retry": 0}')
    context = weir.json("context", "show")
    batch = [
        {"specversion": "1.0", "id": f"e-{n}", "source": "/t", "type": "order.created"} for n in range(COUNT)
    ]
    sent = httpx.post(
        f"{context['url']}/in/{context['project']}",
        content=json.dumps(batch),
        headers={
            "authorization": f"Bearer {context['apiKey']}",
            "content-type": "application/cloudevents-batch+json",
        },
    )
    assert sent.status_code == 202, sent.text

    def dead() -> list[dict[str, Any]]:
        items = weir.json("deliveries", "ls", "--status", "dead", "--limit", "100")["items"]
        return items if len(items) == COUNT else []

    ids = {one["id"] for one in until(dead)}
    receiver.status = 200
    receiver.got.clear()

    dry = weir.json("replay", "--status", "dead", "--since", "1h", "--rate", "5", "--dry-run")
    assert (dry["count"], dry["isExact"], dry["sinks"][0]["subscriptionName"]) == (COUNT, True, "crm")
    refused = weir.run("replay", "--status", "dead", "--since", "1h")
    assert refused.returncode == 2
    assert f"{COUNT} would be attempted again" in refused.stderr
    reason = ("--reason", "the pool was raised")
    replay = weir.json("replay", "--status", "dead", "--since", "1h", "--rate", "5", "--yes", *reason)
    assert (replay["kind"], replay["total"], replay["reason"]) == ("retry", COUNT, "the pool was raised")

    until(lambda: len(receiver.got) >= 5)
    for pid in weir.processes():
        os.kill(pid, signal.SIGKILL)
    weir.wait_until_empty()
    assert len(receiver.got) < COUNT
    weir.up()

    def ended() -> dict[str, Any] | None:
        found = weir.json("replays", "get", replay["id"])
        return found if found["state"] == "done" else None

    done = until(ended, seconds=150)
    assert (done["opened"], done["delivered"], done["failed"], done["skipped"]) == (COUNT, COUNT, 0, 0)
    assert {identity for identity, _ in receiver.got} == ids
    assert {by for _, by in receiver.got} == {replay["id"]}
    # What was under way when everything died comes again, and nothing else.
    assert sum(count - 1 for count in Counter(receiver.got).values()) <= 5
    assert [one["id"] for one in weir.json("replays", "ls", "--state", "done")["items"]] == [replay["id"]]

    # The rest of the commands, on what is there now.
    again = weir.json("deliveries", "retry", next(iter(ids)), "--wait", "30s")
    assert (again["total"], again["delivered"]) == (1, 1)
    once = weir.json("replay", "--since", "1h", "--to", f"{receiver.url}", "--yes", "--rate", "0.01")
    assert (once["kind"], once["to"], once["state"]) == ("replay", receiver.url, "running")
    assert weir.json("replays", "pause", once["id"])["state"] == "paused"
    assert weir.json("replays", "rate", once["id"], "max")["ratePerSecond"] is None
    assert weir.json("replays", "resume", once["id"])["state"] == "running"
    assert weir.json("replays", "cancel", once["id"], "--yes")["state"] == "cancelled"
    nothing = weir.json("deliveries", "cancel", "--subscription", "crm", "--yes")
    assert (nothing["kind"], nothing["state"], nothing["total"]) == ("cancel", "done", 0)
    assert weir.run("replays", "get", "no").returncode == 3
    assert weir.run("deliveries", "retry", next(iter(ids)), "--stop", "x").returncode == 2
