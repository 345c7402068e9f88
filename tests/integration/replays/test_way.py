"""Delivered again: by the dispatcher, at a real sink."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

from events.replay import queries
from events.replay.pace import BURST_SECONDS
from tests.integration.replays.conftest import Again
from tests.support.sink import Answer, Sink

NO_RETRY = {"retry": 0}
SOON = {"retry": 2, "backoffDelay": "PT0.05S", "backoffPolicy": "linear"}


async def test_a_dead_letter_is_retried_with_the_same_id_and_all_its_retries(
    again: Again, sink: Sink
) -> None:
    world = again.world
    await world.subscribe(sink.url, **SOON)
    sink.answer(503)
    await world.emit()
    (dead,) = await world.settled()
    assert (dead["status"], dead["attempt_count"]) == ("dead", 3)

    replay = await again.replay(select={"delivery": str(dead["id"])})
    await sink.wait(6)
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"], row["attempts_before"]) == ("dead", 6, 3)
    sink.answer(200)
    second = await again.replay(select={"status": "dead"})
    await again.until(second, state="done", delivered=1)

    (row,) = await world.deliveries()
    assert (row["id"], row["status"], row["attempt_count"]) == (dead["id"], "delivered", 7)
    assert {request.id for request in sink.requests} == {str(dead["id"])}
    assert [request.header("weir-replay") for request in sink.requests] == [
        *[None] * 3,
        *[replay["id"]] * 3,
        second["id"],
    ]
    numbers = await world.pool.fetch(
        "SELECT number FROM attempts WHERE delivery_id = $1 ORDER BY number", dead["id"]
    )
    assert [row["number"] for row in numbers] == [2, 3, 4, 5, 6, 7]


async def test_events_are_delivered_anew_to_another_subscription(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(f"{sink.url}/live")
    other = await world.subscribe(f"{sink.url}/other", filters=[{"exact": {"type": "a"}}], state="disabled")
    uids = await world.emit(3, type="a")
    await world.emit(2, type="b")
    await world.settled(5)
    await world.pool.execute("UPDATE subscriptions SET state = 'active' WHERE id = $1", other)
    await world.pool.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)
    since = "2020-01-01T00:00:00Z"

    replay = await again.replay(select={"since": since}, to=str(other), reason="it was switched off")
    done = await again.until(replay, state="done")

    assert (done["kind"], done["total"], done["opened"], done["delivered"]) == ("replay", 3, 3, 3)
    got = [request for request in sink.requests if request.path == "/other"]
    rows = [row for row in await world.deliveries() if row["subscription_id"] == other]
    assert {row["event_uid"] for row in rows} == set(uids)
    assert {row["replay_id"] for row in rows} == {UUID(replay["id"])}
    assert {request.id for request in got} == {str(row["id"]) for row in rows}
    assert {request.header("weir-replay") for request in got} == {replay["id"]}
    # Another replay is another delivery.
    second = await again.replay(select={"event": str(uids[0])}, to=str(other))
    await again.until(second, state="done", delivered=1)
    assert len({request.id for request in sink.requests if request.path == "/other"}) == 4
    listed = await again.deliveries(replay=replay["id"])
    assert {(one["replay"], one["status"]) for one in listed} == {(replay["id"], "delivered")}
    assert len(listed) == 3


async def test_to_an_address_of_its_own(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(f"{sink.url}/live")
    await world.emit(2)
    await world.settled(2)
    replay = await again.replay(select={"since": "2020-01-01T00:00:00Z"}, to=f"{sink.url}/once")
    await world.emit(2)  # is none of its
    done = await again.until(replay, state="done")

    assert (done["to"], done["toSubscription"], done["delivered"]) == (f"{sink.url}/once", None, 2)
    assert done["sinks"][0]["sink"] == f"{sink.url}/once"
    await world.settled(6)
    assert sum(request.path == "/once" for request in sink.requests) == 2

    # What was made for it goes; its deliveries still say where they went.
    async def is_gone() -> bool:
        left = "SELECT count(*) = 1 FROM subscriptions WHERE project_id = $1"
        return await world.pool.fetchval(left, world.project.id)

    await world.until(is_gone)
    assert (await again.get(replay))["endedAt"] is not None


async def test_rate_pause_and_resume(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(sink.url, **NO_RETRY)
    sink.answer(503)
    await world.emit(30)
    await world.settled(30)
    sink.answer(200)
    sink.requests.clear()

    began = time.monotonic()
    replay = await again.replay(select={"status": "dead"}, ratePerSecond=2)

    async def begun() -> bool:
        return (await again.get(replay))["opened"] >= 3

    await world.until(begun)
    paused = (await again.client.post(f"/replays/{replay['id']}/pause")).json()
    assert paused["state"] == "paused"
    await again.until(replay, waiting=0)
    held = (await again.get(replay))["opened"]
    assert 3 <= held < 30
    # As fast as was asked for and not faster: one at once, and what half a second lets through.
    assert held <= 2 * (BURST_SECONDS + time.monotonic() - began) + 1
    await again.client.patch(f"/replays/{replay['id']}", json={"ratePerSecond": None})
    assert (await again.get(replay))["opened"] == held
    await again.client.post(f"/replays/{replay['id']}/resume")
    done = await again.until(replay, state="done")
    assert (done["total"], done["delivered"], done["skipped"]) == (30, 30, 0)
    assert len(sink.requests) == 30


async def test_a_slow_rate_is_kept_whoever_works_on_it(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(sink.url, **NO_RETRY)
    sink.answer(503)
    await world.emit(3)
    await world.settled(3)
    sink.answer(200)

    replay = await again.replay(select={"status": "dead"}, ratePerSecond=0.005)
    identity = UUID(replay["id"])
    await again.until(replay, delivered=1)
    leased = (
        "SELECT owner, extract(epoch FROM lease_until - now())::float8 AS left FROM replays WHERE id = $1"
    )
    row = await world.pool.fetchrow(leased, identity)
    assert row["owner"] is not None
    assert 15 < row["left"] <= 200, "after a crash nobody opens the next one too soon"
    await again.workers[0].drain()

    async def is_free() -> bool:
        return (await world.pool.fetchrow(leased, identity))["owner"] is None

    await world.until(is_free)
    assert await queries.claim(world.pool, identity, "another", 15) is None
    assert identity not in await queries.unattended(world.pool, 1)
    assert 15 < (await queries.unattended(world.pool, 300))[identity] <= 200

    again.start()
    await again.client.patch(f"/replays/{replay['id']}", json={"ratePerSecond": None})
    done = await again.until(replay, state="done")
    assert (done["total"], done["delivered"], done["skipped"]) == (3, 3, 0)


async def test_it_stops_by_itself(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(sink.url, **NO_RETRY)
    sink.answer(503)
    await world.emit(60)
    await world.settled(60)
    replay = await again.replay(
        select={"status": "dead"}, ratePerSecond=200, stopWhen={"failed": 5, "of": 10}
    )
    stopped = await again.until(replay, state="paused")
    assert stopped["stateReason"].endswith("failed")
    assert stopped["opened"] < 60
    assert "of the last" in stopped["stateReason"]


async def test_cancelling_ends_what_it_opened(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(sink.url, retry=3, backoffDelay="PT1H")
    other = await world.subscribe(
        f"{sink.url}/other", filters=[{"exact": {"type": "none"}}], retry=3, backoffDelay="PT1H"
    )
    sink.answer(503)
    uids = await world.emit(3)
    await sink.wait(3)

    async def all_wait() -> bool:
        rows = await world.deliveries()
        return len(rows) == 3 and all(row["status"] == "retrying" for row in rows)

    await world.until(all_wait)
    replay = await again.replay(select={"events": [str(uid) for uid in uids]}, to=str(other))
    await again.until(replay, opened=3)
    await sink.wait(6)

    async def tried() -> bool:
        rows = [row for row in await world.deliveries() if row["subscription_id"] == other]
        return [row["status"] for row in rows] == ["retrying"] * 3

    await world.until(tried)
    ended = (await again.client.post(f"/replays/{replay['id']}/cancel")).json()
    assert (ended["state"], ended["waiting"], ended["failed"]) == ("cancelled", 0, 3)
    rows = await world.deliveries()
    assert sum(row["status"] == "retrying" for row in rows) == 3, "the live ones go on"


async def test_the_selection_is_frozen(again: Again, sink: Sink) -> None:
    world = again.world
    await world.subscribe(sink.url, **NO_RETRY)
    sink.answer(503)
    await world.emit(5)
    await world.settled(5)
    replay = await again.replay(select={"status": "dead"}, ratePerSecond=4)
    await world.emit(5)  # and they die at once
    done = await again.until(replay, state="done")
    assert (done["total"], done["opened"], done["failed"]) == (5, 5, 5)
    rows = await world.deliveries()
    assert sorted(row["attempt_count"] for row in rows) == [1] * 5 + [2] * 5


@pytest.mark.parametrize("count", [40])
async def test_repeats_of_an_order_keep_it_and_hold_up_nothing_live(
    again: Again, sink: Sink, count: int
) -> None:
    world = again.world
    await world.subscribe(sink.url, ordering="partitionkey", **NO_RETRY)
    sink.answer(503)
    for number in range(count):
        await world.emit(partitionkey="k", id=f"old-{number:03}")
    await world.settled(count)
    sink.requests.clear()
    hanging = asyncio.Event()

    def choose(request) -> Answer:
        hanging.set()
        return Answer(hang=True) if request.header("ce-id") == "old-000" else Answer(200)

    sink.choose(choose)
    replay = await again.replay(select={"status": "dead"})
    await hanging.wait()
    await world.emit(partitionkey="k", id="new")

    async def new_one() -> bool:
        return any(request.header("ce-id") == "new" for request in sink.requests)

    await world.until(new_one)
    assert [r.header("ce-id") for r in sink.requests if r.header("weir-replay")] == ["old-000"]
    sink.let_go()
    await again.until(replay, state="done", waiting=0)
    again_in_order = [r.header("ce-id") for r in sink.requests if r.header("weir-replay")]
    assert again_in_order == sorted(again_in_order)
    assert len(again_in_order) == count


async def test_a_subscription_that_is_disabled_gets_nothing(again: Again) -> None:
    world = again.world
    name = await world.subscribe("http://127.0.0.1:9/", state="disabled")
    answer = await again.client.post(
        "/replays", json={"select": {"since": "2020-01-01T00:00:00Z"}, "to": str(name)}
    )
    assert answer.status_code == 409
    assert "Make it active first" in answer.json()["detail"]
    assert (await again.client.get(f"/replays/{uuid4()}")).status_code == 404
