"""Sinks that fail for long, get too much, or ask to be left alone."""

import asyncio
import math
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import pytest

from functions.subscriptions.app import create as create_subscriptions
from shared.core.breaker import Evidence
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.lag import own_lag
from tests.support.sink import Answer, Sink

CLOCKS_SECONDS = 0.005
"""How far apart the clocks of Python and of a database on the same machine may be."""

QUICK = Evidence(failures=20, span_seconds=0.4, first_seconds=0.4, probes=2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A breaker that needs less evidence, so that a test need not last."""
    monkeypatch.setattr("events.dispatch.gate.EVIDENCE", QUICK)


async def state(world: World) -> str:
    rows = await world.pool.fetch("SELECT state FROM sink_health WHERE expires_at > now()")
    return rows[0]["state"] if rows else "closed"


@pytest.mark.usefixtures("quick")
async def test_a_dead_sink_gets_a_probe_now_and_then_and_no_attempt_is_used_up(
    world: World, sink: Sink
) -> None:
    await world.subscribe(f"{sink.url}/dead", backoffDelay="PT0.1S", backoffMax="PT0.1S", retry=200)
    await world.subscribe(f"{sink.url}/well")
    dead = True
    sink.choose(lambda r: Answer(503 if dead and r.path == "/dead" else 200))
    world.start()
    await world.emit(10)

    async def is_open() -> bool:
        return await state(world) == "open"

    await world.until(is_open)
    (row,) = await world.pool.fetch("SELECT * FROM sink_health")
    assert "503" in row["reason"]
    assert row["until"] > row["since"]
    used = sum(r["attempt_count"] for r in await world.deliveries())
    seen = len(sink.requests)
    # While it is open, new events wait as rows, and the other sink gets them as ever.
    began = time.monotonic()
    await world.emit(10)

    async def well() -> bool:
        return sum(r.path == "/well" for r in sink.requests) == 20

    await world.until(well)
    await asyncio.sleep(max(0, began + 1.5 - time.monotonic()))
    probes = sum(r.path == "/dead" for r in sink.requests[seen:])
    # From one to the next it is twice as long.
    most = 2 + int(math.log2(1 + (time.monotonic() - began) / QUICK.first_seconds))
    assert probes <= most
    rows = await world.deliveries()
    assert sum(r["attempt_count"] for r in rows) - used <= 10 + most
    assert all(r["attempt_count"] == 0 for r in rows if r["status"] == "pending")
    dead = False
    rows = await world.settled(40)
    assert {r["status"] for r in rows} == {"delivered"}

    async def is_closed() -> bool:
        return await state(world) == "closed"

    await world.until(is_closed)


@pytest.mark.usefixtures("quick")
async def test_half_open_lets_one_request_through_at_a_time(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.1S", backoffMax="PT0.1S", retry=200)
    sink.answer(500)
    world.start()
    await world.emit(10)

    async def is_open() -> bool:
        return await state(world) == "open"

    await world.until(is_open)
    seen = len(sink.requests)
    sink.most_open = 0
    sink.answers([Answer(200, delay=0.3), Answer(200, delay=0.3)], then=200)
    await sink.wait(seen + 2)
    assert sink.most_open == 1
    rows = await world.settled(10)
    assert {r["status"] for r in rows} == {"delivered"}


async def test_dead_letters_go_on_while_the_circuit_of_their_subscription_is_open(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Evidence(20, share=0.5, span_seconds=0.4, first_seconds=25.0)
    monkeypatch.setattr("events.dispatch.gate.EVIDENCE", evidence)
    async with Sink() as letters:
        letters.answer(503)
        await world.subscribe(
            sink.url, backoffDelay="PT0.5S", backoffMax="PT0.5S", retry=200, deadLetterSink=letters.url
        )
        sink.choose(lambda r: Answer(400 if r.header("ce-mine") else 503))
        world.start()
        await world.emit(5, mine="1")
        await world.emit(15)

        async def is_open() -> bool:
            return await state(world) == "open"

        await world.until(is_open)
        letters.answer(200)
        seen = len(letters.requests)
        await letters.wait(seen + 5, timeout=20)
        assert await state(world) == "open"


@pytest.mark.usefixtures("quick")
async def test_a_dead_letter_sink_has_a_circuit_of_its_own(world: World, sink: Sink) -> None:
    async with Sink() as letters:
        letters.answer(503)
        subscription = await world.subscribe(
            sink.url,
            backoffDelay="PT0.1S",
            backoffMax="PT0.1S",
            retry=200,
            deadLetterSink=letters.url,
        )
        sink.choose(lambda r: Answer(400 if r.header("ce-mine") else 200))
        handler = world.start()
        await world.emit(30, mine="1")

        async def is_open() -> bool:
            dispatcher = handler._dispatcher
            gate = dispatcher and dispatcher._gates.find(subscription, dead_letters=True)
            return gate is not None and gate.health.state == "open"

        await world.until(is_open)
        assert handler._dispatcher._gates.find(subscription).health.state == "closed"
        assert await state(world) == "closed"
        await world.emit(10)
        await sink.wait(40)
        letters.answer(200)
        rows = await world.settled(40)
        assert {r["dead_letter"]["status"] for r in rows if r["status"] == "dead"} == {"delivered"}


@pytest.mark.usefixtures("quick")
async def test_a_changed_subscription_is_tried_at_once(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.dispatch.gate.EVIDENCE", Evidence(20, span_seconds=0.4, first_seconds=25.0))
    subscription = await world.subscribe(
        "http://127.0.0.1:9/", backoffDelay="PT0.1S", backoffMax="PT0.1S", retry=200
    )
    world.start()
    await world.emit(10)

    async def is_open() -> bool:
        return await state(world) == "open"

    await world.until(is_open)
    await world.pool.execute(
        "UPDATE subscriptions SET sink = $2, version = version + 1 WHERE id = $1", subscription, sink.url
    )
    await world.pool.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)
    await world.emit(1)
    rows = await world.settled(11)
    assert {r["status"] for r in rows} == {"delivered"}


@pytest.mark.spec("W11")
async def test_nothing_is_sent_before_the_time_a_sink_asked_for(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.1S")
    sink.answers([Answer(429, headers={"retry-after": "2"})], then=200)
    world.start()
    await world.emit()
    await sink.wait(1)
    await asyncio.sleep(0.1)
    await world.emit(5)
    rows = await world.settled(6)
    assert {r["status"] for r in rows} == {"delivered"}
    assert sorted(r["attempt_count"] for r in rows) == [1, 1, 1, 1, 1, 2]
    asked = sink.requests[0].at
    assert all(r.at - asked >= 2.0 for r in sink.requests[1:])


async def test_a_sink_that_asked_for_time_is_left_alone_by_another_process_too(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.1S")
    sink.answers([Answer(503, headers={"retry-after": "5"})], then=200)
    crashing = Resources(settings)
    there = World(crashing, world.pool, world.project)
    handler = there.start()
    await there.emit()
    await sink.wait(1)

    async def is_told() -> bool:
        return await state(world) == "open"

    await world.until(is_told)
    await there.crash(handler, crashing)
    world.start()
    await world.emit(5)
    world.tick()
    rows = await world.settled(6)
    assert {r["status"] for r in rows} == {"delivered"}
    asked = sink.requests[0].at
    assert all(r.at - asked >= 4.9 for r in sink.requests[1:])


async def test_no_longer_than_the_subscription_allows(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.1S", retryAfterMax="PT0S")
    sink.answers([Answer(429, headers={"retry-after": "60"})], then=200)
    world.start()
    await world.emit()
    await sink.wait(1)
    await world.emit(3)
    rows = await world.settled(4, timeout=30)
    assert {r["status"] for r in rows} == {"delivered"}


async def test_many_failures_in_a_short_time_are_retried_on_time(world: World, sink: Sink) -> None:
    """What opens a circuit is a sink that is dead, not a handful of events that fail together."""
    await world.subscribe(sink.url, backoffDelay="PT0.2S", retry=4)
    sink.answer(500)
    world.start()
    async with own_lag(world.pool) as lag:
        await world.emit(50)
        rows = await world.settled(50)
    assert {(r["status"], r["attempt_count"]) for r in rows} == {("dead", 5)}
    # By the sender's clock: how late a busy sink notes a request says nothing of when it was sent.
    attempts = await world.pool.fetch(
        """
        SELECT id, 1 AS number, first_started_at AS started_at, first_duration_us AS duration_us
        FROM deliveries WHERE project_id = $1
        UNION ALL
        SELECT delivery_id, number, started_at, duration_us FROM attempts WHERE project_id = $1
        ORDER BY id, number
        """,
        world.project.id,
    )
    late = []
    for one, two in pairwise(attempts):
        if one["id"] == two["id"]:
            ended = one["started_at"] + timedelta(microseconds=one["duration_us"])
            wait = 0.2 * 2 ** (one["number"] - 1)
            took = (two["started_at"] - ended).total_seconds()
            assert took >= wait * 0.8 - CLOCKS_SECONDS
            late.append(took - wait)
    assert len(late) == 50 * 4
    assert median(late) < 0.25 + median(lag)
    assert max(late) < 1.0 + max(
        lag
    )  # the bound of a busy machine; docs/reference/delivery.md has the figure


async def test_the_next_look_is_planned_for_when_the_first_is_due(world: World, sink: Sink) -> None:
    """The decision itself, which no busy machine delays: within 250 ms. It may look early, but starts nothing then."""
    await world.subscribe(sink.url, backoffDelay="PT3S", retry=1)
    sink.answer(503)
    handler = world.start()
    await world.emit(20)

    async def all_wait() -> list[datetime] | None:
        rows = await world.deliveries()
        moments = [row["next_attempt_at"] for row in rows if row["status"] == "retrying"]
        return moments if len(moments) == 20 and not handler._dispatcher._due.under_way else None

    first = min(await world.until(all_wait)).timestamp()

    async def is_planned() -> bool:
        return time.time() + handler._dispatcher._due.due_in - first < 0.25

    await world.until(is_planned, timeout=2)
    sink.answer(200)
    await world.settled(20)


async def test_due_deliveries_start_on_time(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.5S", backoffPolicy="linear", retry=3)
    sink.answer(500)
    world.start()
    planned: dict[tuple[object, int], datetime] = {}

    async def ended() -> bool:
        rows = await world.deliveries()
        for row in rows:
            if row["status"] == "retrying" and row["next_attempt_at"] is not None:
                planned[row["id"], row["attempt_count"] + 1] = row["next_attempt_at"]
        return len(rows) == 20 and all(row["status"] == "dead" for row in rows)

    async with own_lag(world.pool) as lag:
        await world.emit(20)
        await world.until(ended)
    attempts = await world.pool.fetch(
        "SELECT delivery_id, number, started_at FROM attempts WHERE project_id = $1", world.project.id
    )
    delays = [
        (row["started_at"].astimezone(UTC) - planned[row["delivery_id"], row["number"]]).total_seconds()
        for row in attempts
        if (row["delivery_id"], row["number"]) in planned
    ]
    assert len(delays) >= 30
    assert min(delays) >= -CLOCKS_SECONDS
    assert median(delays) < 0.25 + median(lag)
    assert max(delays) < 1.0 + max(lag)


@pytest.mark.usefixtures("quick")
async def test_what_a_transform_makes_of_events_says_nothing_of_the_sink(world: World, sink: Sink) -> None:
    nothing = await world.subscribe(sink.url, jsonata='$not(data.n = 1) ? {"data": data}')
    wrong = await world.subscribe(sink.url, jsonata="5")
    handler = world.start()
    began = time.monotonic()
    count = 0
    while count < 40 or time.monotonic() - began < 2 * QUICK.span_seconds:
        await world.emit(8)
        count += 8
        await world.settled(2 * count)
    for subscription, status in ((nothing, "cancelled"), (wrong, "dead")):
        gate = handler._dispatcher._gates.find(subscription)
        assert gate.health.state == "closed"
        rows = [row for row in await world.deliveries() if row["subscription_id"] == subscription]
        assert {row["status"] for row in rows} == {status}
    await world.emit(data=b'{"n": 2}')
    assert (await sink.wait(1))[0].json() == {"n": 2}


async def probe(world: World, subscription: UUID) -> dict[str, Any]:
    """What the owner's test event comes to."""
    transport = httpx.ASGITransport(create_subscriptions(world.resources))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://weir.test", headers=world.project.headers
    ) as client:
        address = f"/v1/projects/{world.project.name}/subscriptions/{subscription}"
        answer = (await client.post(f"{address}/probe")).json()
        health = (await client.get(address)).json()["sinkHealth"]
        return {**answer, "health": health}


@pytest.mark.usefixtures("quick")
async def test_a_test_event_that_is_taken_closes_the_circuit(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.dispatch.gate.EVIDENCE", Evidence(20, span_seconds=0.4, first_seconds=25.0))
    subscription = await world.subscribe(
        sink.url, backoffDelay="PT0.1S", backoffMax="PT0.1S", retry=200, maxInFlight=20
    )
    sink.answer(503)
    world.start()
    await world.emit(10)

    async def is_open() -> bool:
        return await state(world) == "open"

    await world.until(is_open)
    found = await probe(world, subscription)
    assert (found["delivered"], found["circuitClosed"], found["health"]["state"]) == (False, False, "open")
    seen = len(sink.requests)
    sink.most_open = 0
    sink.answer(204, delay=0.05)
    found = await probe(world, subscription)
    assert (found["delivered"], found["circuitClosed"], found["health"]["state"]) == (True, True, "closed")
    rows = await world.settled(10, timeout=20)
    assert {r["status"] for r in rows} == {"delivered"}
    assert len(sink.requests) == seen + 1 + 10
    assert sink.most_open <= 4
    assert not (await probe(world, subscription))["circuitClosed"]


async def test_a_test_event_that_is_taken_ends_the_wait_a_sink_asked_for_in_every_process(
    settings: Settings, world: World, sink: Sink
) -> None:
    subscription = await world.subscribe(sink.url, backoffDelay="PT0.1S")
    sink.answers([Answer(503, headers={"retry-after": "60"})], then=200)
    world.start()
    await world.emit()
    await sink.wait(1)

    async def is_open() -> bool:
        return await state(world) == "open"

    await world.until(is_open)
    await world.emit(5)
    found = await probe(world, subscription)
    assert (found["delivered"], found["circuitClosed"]) == (True, True)

    async def others_went() -> bool:
        return sum(r["status"] == "delivered" for r in await world.deliveries()) == 5

    await world.until(others_went, timeout=30)
    (waiting,) = [r for r in await world.deliveries() if r["status"] == "retrying"]
    assert waiting["next_attempt_at"] > datetime.now(UTC)
