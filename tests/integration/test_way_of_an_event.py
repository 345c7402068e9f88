"""The whole way, through the API alone: subscribe, send, deliver, see; pause, resume, disable, delete."""

import asyncio
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.runtime import load, registry
from shared.runtime.edge import Edge
from shared.runtime.local_broker import LocalBroker
from shared.runtime.resources import Resources
from tests.support.projects import Project
from tests.support.sink import Sink

STRUCTURED = {"content-type": "application/cloudevents+json"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Weir:
    """A project of a running Weir, through its API."""

    def __init__(self, client: httpx.AsyncClient, project: str) -> None:
        self._client = client
        self._project = project

    async def call(self, method: str, path: str, **options: Any) -> Any:
        answer = await self._client.request(method, f"/v1/projects/{self._project}{path}", **options)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def subscribe(self, sink: str, **members: Any) -> dict[str, Any]:
        return await self.call("POST", "/subscriptions", json={"sink": sink, **members})

    async def change(self, subscription: dict[str, Any], **members: Any) -> dict[str, Any]:
        body = {**await self.call("GET", f"/subscriptions/{subscription['id']}"), **members}
        return await self.call("PUT", f"/subscriptions/{subscription['id']}", json=body)

    async def send(self, **members: Any) -> str:
        event = {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": "/way",
            "type": "com.example.sent",
            **members,
        }
        answer = await self._client.post(f"/in/{self._project}", json=event, headers=STRUCTURED)
        assert answer.status_code == 202, answer.text
        return answer.json()["uid"]

    async def event(self, uid: str, until: Callable[[list[dict[str, Any]]], bool]) -> dict[str, Any]:
        """The event, as soon as its deliveries are as `until` wants them."""
        async with asyncio.timeout(60):
            while True:
                found = await self.call("GET", f"/events/{uid}")
                if until(found["deliveries"]):
                    return found


@pytest.fixture
async def weir(resources: Resources, project: Project) -> AsyncIterator[Weir]:
    broker = resources.wake.local = LocalBroker()
    handlers = []
    for function in registry.functions():
        if function.is_handler:
            handlers.append(load.handler(function, resources))
            broker.subscribe(handlers[-1], function.on)
    edge = Edge(resources, registry.functions(), lambda f: load.application(f, resources), version("weir"))
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://weir.test", headers=project.headers
    ) as client:
        yield Weir(client, project.name)
    for handler in handlers:
        await handler.drain()
    await broker.close(10)


def statuses(*wanted: str) -> Callable[[list[dict[str, Any]]], bool]:
    return lambda deliveries: sorted(d["status"] for d in deliveries) == sorted(wanted)


async def test_an_event_is_delivered_and_seen(weir: Weir, sink: Sink) -> None:
    made = await weir.subscribe(
        sink.url, filters=[{"exact": {"type": "com.example.sent"}}], signingSecrets=[SECRET]
    )
    other = await weir.subscribe(sink.url, filters=[{"exact": {"type": "com.example.other"}}])
    uid = await weir.send(data={"order": 1}, subject="A-1")
    (received,) = await sink.wait(1)
    found = await weir.event(uid, statuses("delivered"))
    (delivery,) = found["deliveries"]
    (attempt,) = delivery["attempts"]
    assert delivery["id"] == received.id == attempt["request"]["headers"]["webhook-id"]
    assert received.json() == {"order": 1}
    shown = attempt["request"]["headers"]
    assert shown["webhook-signature"] == "***"
    for name in shown.keys() - {"webhook-signature"}:
        assert received.header(name) == shown[name], name
    assert attempt["request"]["url"].rstrip("/") == sink.url
    assert (attempt["number"], attempt["statusCode"], attempt["error"]) == (1, 200, None)
    assert attempt["durationMs"] > 0
    assert found["latencyMs"] is not None
    assert delivery == await weir.call("GET", f"/deliveries/{delivery['id']}")
    explained = (await weir.call("GET", f"/events/{uid}/explain"))["items"]
    assert {item["subscription"]: (item["matched"], item["delivery"]) for item in explained} == {
        made["id"]: (True, delivery["id"]),
        other["id"]: (False, None),
    }
    (item,) = (await weir.call("GET", "/events", params={"q": '"order":1'}))["items"]
    assert (item["uid"], item["outcome"]["delivered"]) == (uid, 1)


async def test_every_attempt_is_seen_until_the_dead_letter(weir: Weir, sink: Sink) -> None:
    sink.answers([503, 500], then=422)
    await weir.subscribe(sink.url, delivery={"retry": 5, "backoffDelay": "PT0.05S"})
    uid = await weir.send()
    (delivery,) = (await weir.event(uid, statuses("dead")))["deliveries"]
    assert [a["statusCode"] for a in delivery["attempts"]] == [503, 500, 422]
    assert [a["number"] for a in delivery["attempts"]] == [1, 2, 3]
    assert (delivery["attemptCount"], delivery["lastStatusCode"]) == (3, 422)
    assert delivery["endedAt"] is not None
    (listed,) = (await weir.call("GET", "/deliveries", params={"status": "dead"}))["items"]
    assert listed["id"] == delivery["id"]


async def test_what_waits_while_paused_is_delivered_when_active_again(weir: Weir, sink: Sink) -> None:
    made = await weir.subscribe(sink.url, delivery={"ordering": "partitionkey"})
    await weir.change(made, state="paused")
    keys = ["a", "a", None, "b", None]
    uids = [
        await weir.send(id=f"{n}", **({"partitionkey": key} if key else {})) for n, key in enumerate(keys)
    ]
    for uid in uids:
        (delivery,) = (await weir.event(uid, statuses("pending")))["deliveries"]
        assert delivery["held"]
        assert delivery["nextAttemptAt"] is None
    assert sink.requests == []
    await weir.change(made, state="active")
    await sink.wait(5)
    for uid in uids:
        await weir.event(uid, statuses("delivered"))
    assert len(sink.requests) == 5
    order = [r.header("ce-id") or r.json()["id"] for r in sink.requests]
    assert order.index("0") < order.index("1")


async def test_what_fails_while_it_is_paused_waits_as_well(weir: Weir, sink: Sink) -> None:
    sink.answer(503)
    made = await weir.subscribe(sink.url, delivery={"backoffDelay": "PT0.3S"})
    uid = await weir.send()
    await weir.event(uid, statuses("retrying"))
    await weir.change(made, state="paused")
    await weir.event(uid, lambda ds: ds[0]["held"])
    sink.answer(200)
    await weir.change(made, state="active")
    await weir.event(uid, statuses("delivered"))


@pytest.mark.parametrize("how", ["disable", "delete"])
async def test_nothing_waits_for_what_is_disabled_or_gone(weir: Weir, sink: Sink, how: str) -> None:
    sink.answer(503)
    made = await weir.subscribe(sink.url, delivery={"backoffDelay": "PT1H"})
    uid = await weir.send()
    await weir.event(uid, statuses("retrying"))
    if how == "disable":
        await weir.change(made, state="disabled")
    else:
        await weir.call("DELETE", f"/subscriptions/{made['id']}")
    (delivery,) = (await weir.event(uid, statuses("cancelled")))["deliveries"]
    assert delivery["subscriptionName"] == made["name"]
    assert delivery["nextAttemptAt"] is None
    witness = await weir.subscribe(sink.url)
    later = await weir.send()
    await weir.event(later, lambda ds: [d["subscription"] for d in ds] == [witness["id"]])


async def test_410_disables_and_says_why(weir: Weir, sink: Sink) -> None:
    sink.answer(410)
    made = await weir.subscribe(sink.url)
    uid = await weir.send()
    await weir.event(uid, statuses("dead"))
    shown = await weir.call("GET", f"/subscriptions/{made['id']}")
    assert (shown["state"], shown["stateReason"]) == ("disabled", "gone")
