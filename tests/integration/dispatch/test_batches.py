"""Several events in one request, for subscriptions that ask for it."""

import asyncio
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from shared.core.signing import new_secret
from shared.sending.sender import batch_id
from tests.integration.dispatch.conftest import World, event
from tests.support.sink import Answer, Received, Sink

BATCH = "application/cloudevents-batch+json"


def sizes(sink: Sink) -> list[int]:
    return [len(request.json()) for request in sink.requests]


@pytest.mark.spec("H07")
async def test_nobody_gets_a_batch_who_did_not_ask_for_it(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    await world.emit(20)
    await world.settled(20)
    assert {r.header("content-type") for r in sink.requests} == {"application/json"}
    assert len(sink.requests) == 20


@pytest.mark.spec("H07b", "H26", "J21")
async def test_what_waits_goes_together_up_to_the_size_that_was_asked_for(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, batchSize=8, maxInFlight=1)
    world.start()
    uids = await world.emit(20)
    rows = await world.settled(20)
    assert {row["status"] for row in rows} == {"delivered"}
    assert {row["event_uid"] for row in rows} == set(uids)
    assert all(request.header("content-type") == BATCH for request in sink.requests)
    assert max(sizes(sink)) <= 8
    assert sum(sizes(sink)) == 20
    assert len(sink.requests) < 20
    assert {row["first_detail"]["sent"]["batchSize"] for row in rows} == set(sizes(sink))


async def test_a_lone_event_does_not_wait_and_is_a_batch_of_one(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, batchSize=100)
    world.start()
    await world.emit(id="alone")
    (row,) = await world.settled()
    (request,) = sink.requests
    assert request.header("content-type") == BATCH
    assert [one["id"] for one in request.json()] == ["alone"]
    assert request.id == str(row["id"])


async def test_a_batch_is_signed_as_one_message(world: World, sink: Sink) -> None:
    secret = new_secret()
    await world.subscribe(sink.url, secrets=[secret], batchSize=50, maxInFlight=1)
    world.start()
    await world.emit(30)
    rows = await world.settled(30)
    for request in sink.requests:
        Webhook(secret).verify(request.body, {k.lower(): v for k, v in request.headers})
    ids = {row["id"] for row in rows}
    by_event = {row["event_uid"]: row["id"] for row in rows}
    assert len(by_event) == len(ids) == 30
    assert len({request.id for request in sink.requests}) == len(sink.requests)


async def test_a_failure_fails_all_and_they_come_together_again(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, batchSize=10, maxInFlight=1, backoffDelay="PT0.1S", retry=2)
    sink.answers([500, 500], then=200)
    world.start()
    await world.emit(10)
    rows = await world.settled(10)
    assert {row["status"] for row in rows} == {"delivered"}
    assert sum(row["attempt_count"] - 1 for row in rows) >= 2
    failed = [r for r in rows if r["first_status_code"] == 500]
    assert failed
    again = await world.pool.fetch(
        "SELECT * FROM attempts WHERE delivery_id = ANY($1)", [row["id"] for row in failed]
    )
    assert {row["delivery_id"] for row in again} == {row["id"] for row in failed}


async def test_what_is_too_large_is_sent_in_halves_within_the_attempt(world: World, sink: Sink) -> None:
    def choose(request: Received) -> Answer:
        events = request.json()
        return Answer(413 if len(events) > 2 or any(e["id"] == "fat" for e in events) else 200)

    sink.choose(choose)
    await world.subscribe(sink.url, batchSize=16, maxInFlight=1, retry=3)
    world.start()
    await world.emit(15)
    await world.emit(id="fat")
    rows = await world.settled(16)
    by_status: dict[str, int] = {}
    for row in rows:
        assert row["attempt_count"] == 1
        by_status[row["status"]] = by_status.get(row["status"], 0) + 1
    assert by_status == {"delivered": 15, "dead": 1}


@pytest.mark.spec("C38")
async def test_a_batch_has_events_of_one_version(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, batchSize=20, maxInFlight=1)
    world.start()
    await world.send(*(event(id=str(n), specversion="0.3" if n % 2 else "1.0") for n in range(20)))
    await world.settled(20)
    for request in sink.requests:
        assert len({one["specversion"] for one in request.json()}) == 1
    assert sum(sizes(sink)) == 20
    assert len(sink.requests) < 20


async def test_410_to_a_batch_disables_the_subscription(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, batchSize=10, maxInFlight=1)
    sink.answer(410)
    world.start()
    await world.emit(5)

    async def gone() -> bool:
        found = await world.pool.fetchrow("SELECT * FROM subscriptions WHERE id = $1", subscription)
        return found["state"] == "disabled" and found["state_reason"] == "gone"

    await world.until(gone)


async def test_dead_letters_of_a_batch_go_one_by_one(world: World, sink: Sink) -> None:
    async with Sink() as dead:
        await world.subscribe(
            sink.url, batchSize=10, maxInFlight=1, retry=0, deadLetterSink=f"{dead.url}/dead"
        )
        sink.answer(422)
        world.start()
        await world.emit(4)
        await world.settled(4)
        requests = await dead.wait(4)
        assert all(request.header("content-type") == "application/json" for request in requests)
        assert {request.header("ce-knativeerrorcode") for request in requests} == {"422"}
        assert len({request.id for request in requests}) == 4


async def test_a_paused_batch_loses_nothing(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, batchSize=10, maxInFlight=2)
    sink.answer(200, delay=0.05)
    world.start()
    await asyncio.gather(*(world.emit(20) for _ in range(10)))
    rows = await world.settled(200)
    assert {row["status"] for row in rows} == {"delivered"}
    assert sum(sizes(sink)) == 200


def test_the_id_of_a_batch_names_its_set() -> None:
    a, b = UUID(int=1), UUID(int=2)
    assert batch_id([a]) == str(a)
    assert batch_id([a, b]) == batch_id([b, a])
    assert batch_id([a, b]) != batch_id([a, UUID(int=3)])
