"""What an event handler answers to Knative's broker: what stays wrong must not come again."""

import asyncio
import json

import httpx
import pytest

from shared.runtime.function import Function
from shared.runtime.handler_app import handler_app
from shared.runtime.local_broker import LocalBroker

FUNCTION = Function(name="trial", summary="", entry="", on=("dev.weir.wake", "dev.weir.tick"))


class Recording:
    def __init__(self):
        self.events = []
        self.error = None

    async def handle(self, event):
        self.events.append(event)
        if self.error is not None:
            raise self.error

    async def drain(self):
        pass


@pytest.fixture
def handler():
    return Recording()


@pytest.fixture
async def client(resources, handler):
    app = handler_app(FUNCTION, resources, handler)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://trial") as client:
        yield client


def binary(**changes):
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/weir/ingest",
        "ce-type": "dev.weir.wake",
        "content-type": "application/json",
    }
    headers.update(changes)
    return {name.replace("_", "-"): value for name, value in headers.items()}


async def test_a_binary_event_is_handled(client, handler):
    answer = await client.post("/", headers=binary(), content=b'{"shards": [3, 7]}')
    assert answer.status_code == 202
    (event,) = handler.events
    assert event["type"] == "dev.weir.wake"
    assert event["data"] == {"shards": [3, 7]}


async def test_a_structured_event_is_handled(client, handler):
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/weir/ingest",
        "type": "dev.weir.wake",
        "data": {"shards": [1]},
    }
    headers = {"content-type": "application/cloudevents+json"}
    answer = await client.post("/", headers=headers, content=json.dumps(event))
    assert answer.status_code == 202
    assert handler.events[0]["data"] == {"shards": [1]}


async def test_what_a_ping_source_sends_is_a_tick(client, handler):
    answer = await client.post("/", headers=binary(ce_type="dev.knative.sources.ping"), content=b"{}")
    assert answer.status_code == 202
    assert handler.events[0]["type"] == "dev.weir.tick"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        (binary(ce_type="dev.weir.unknown"), b"{}"),
        (binary(), b"{"),
        (binary(), b'{"shards": []}'),
        (binary(), b'{"shards": [-1]}'),
        (binary(), b'{"shards": "all"}'),
        (binary(), b'"' + b"x" * 70_000 + b'"'),
        ({"content-type": "application/cloudevents+json"}, b"[1"),
    ],
)
async def test_what_is_wrong_for_good_is_400(client, handler, headers, body):
    answer = await client.post("/", headers=headers, content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert handler.events == []


@pytest.mark.parametrize(("error", "status"), [(OSError("gone"), 503), (ValueError("mistake"), 500)])
async def test_what_may_go_better_later_is_5xx(client, handler, error, status):
    handler.error = error
    answer = await client.post("/", headers=binary(), content=b'{"shards": [1]}')
    assert answer.status_code == status


async def test_an_instance_that_is_ending_sends_events_elsewhere(client, handler, resources):
    resources.draining = True
    answer = await client.post("/", headers=binary(), content=b'{"shards": [1]}')
    assert answer.status_code == 503
    assert handler.events == []


async def test_only_post_and_only_the_root(client):
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await client.post("/other")).status_code == 404
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.get("/metrics")).status_code == 401


async def test_the_local_broker_hands_events_to_whoever_handles_their_type(caplog):
    broker, one, two = LocalBroker(), Recording(), Recording()
    broker.subscribe(one, ("dev.weir.wake",))
    broker.subscribe(two, ("dev.weir.wake", "dev.weir.tick"))
    one.error = ValueError("mistake")
    assert broker.send({"type": "dev.weir.wake", "data": {}})
    assert broker.send({"type": "dev.weir.tick", "data": {}})
    assert not broker.send({"type": "dev.weir.other", "data": {}})
    await asyncio.sleep(0)  # the tasks begin
    await broker.close(5)
    assert [e["type"] for e in one.events] == ["dev.weir.wake"]
    assert [e["type"] for e in two.events] == ["dev.weir.wake", "dev.weir.tick"]
    assert "handling dev.weir.wake failed" in caplog.text


async def test_a_stopped_broker_hands_nothing_on():
    broker, one = LocalBroker(), Recording()
    broker.subscribe(one, ("dev.weir.wake",))
    assert broker.send({"type": "dev.weir.wake", "data": {}})
    broker.stop()
    assert not broker.send({"type": "dev.weir.wake", "data": {}})
    await broker.close(5)
    assert one.events == []


async def test_a_handler_that_does_not_end_is_cancelled(caplog):
    class Endless(Recording):
        async def handle(self, event):
            await super().handle(event)
            await asyncio.Event().wait()

    broker, one = LocalBroker(), Endless()
    broker.subscribe(one, ("dev.weir.wake",))
    broker.send({"type": "dev.weir.wake", "data": {}})
    await asyncio.sleep(0)
    await broker.close(0.01)
    assert len(one.events) == 1
    assert "did not end" in caplog.text
