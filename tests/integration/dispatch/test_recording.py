"""A row whose change is not on record yet is not brought again, and none is forgotten with a shard that is lost."""

import asyncio
import contextlib
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from tests.integration.dispatch.conftest import World
from tests.support.sink import Answer, Sink
from tests.support.waiting import waits_for_lock


async def save(world: World, subscription: UUID, state: str) -> None:
    await world.pool.execute("UPDATE subscriptions SET state = $2 WHERE id = $1", subscription, state)
    await world.pool.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)


async def is_waiting(world: World, table: str) -> bool:
    """Whether a statement that names `table` waits for a lock."""
    return await waits_for_lock(world.pool, table)


async def is_retrying(world: World) -> bool:
    return any(row["status"] == "retrying" for row in await world.deliveries())


async def test_a_subscription_that_is_paused_and_resumed_while_the_record_waits_gets_one_request(
    world: World, sink: Sink
) -> None:
    subscription = await world.subscribe(f"{sink.url}/a", [{"exact": {"type": "a"}}], backoffDelay="PT2S")
    await world.subscribe(f"{sink.url}/b", [{"exact": {"type": "b"}}])
    script = [Answer(503), Answer(delay=1)]
    sink.choose(lambda r: script.pop(0) if r.path == "/a" and script else Answer(delay=0.4))
    handler = world.start()
    await world.emit(type="a", partitionkey="k")
    await world.until(lambda: is_retrying(world))
    await save(world, subscription, "paused")
    await world.emit(type="b", partitionkey="k")
    await sink.wait(2)
    recorder = handler._dispatcher._recorder
    async with world.pool.acquire() as other, other.transaction():
        # The record of another delivery waits for the shard, and everything else behind it.
        await other.execute("SELECT FROM shards ORDER BY shard FOR UPDATE")
        await world.until(lambda: is_waiting(world, "INSERT INTO deliveries"))

        async def is_held() -> bool:
            return any(change.ending.held for change in recorder._changes)

        await world.until(is_held)
        await save(world, subscription, "active")
        with contextlib.suppress(TimeoutError):
            await sink.wait(4, timeout=0.7)
    rows = await world.settled(2)
    assert [row["status"] for row in rows] == ["delivered", "delivered"]
    assert [request.path for request in sink.requests].count("/a") == 2


@pytest.mark.parametrize("ordering", ["none", "partitionkey"])
async def test_a_row_that_was_written_and_recorded_while_it_was_looked_for_is_not_brought(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, ordering: str
) -> None:
    monkeypatch.setattr("events.dispatch.dispatcher.PATIENCE_SECONDS", float("inf"))
    policy = {"backoffDelay": "PT1S", "backoffMax": "PT1S", "ordering": ordering}
    subscription = await world.subscribe(sink.url, **policy)
    sink.answers([200, 503, Answer(hang=True)])
    handler = world.start()
    await world.emit(partitionkey="b")
    (first,) = await world.settled()

    async def order_is_free() -> bool:
        shard = handler._dispatcher.shards[first["shard"]]
        return ordering == "none" or shard.orders.get(subscription) == {}

    # What comes next of that order goes straight from memory.
    await world.until(order_is_free)
    await world.emit(partitionkey="a")
    await world.until(lambda: is_retrying(world))
    (other,) = [row for row in await world.deliveries() if row["id"] != first["id"]]
    (uid,) = await world.emit(partitionkey="b")
    await sink.wait(3)
    async with world.pool.acquire() as saving, saving.transaction():
        async with world.pool.acquire() as looking, looking.transaction():
            # The other one is due: the look for it began before a row stood for this one.
            await looking.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            await world.until(lambda: is_waiting(world, "subscription_id, room"))
            assert len(await world.deliveries()) == 2
            monkeypatch.setattr("events.dispatch.dispatcher.PATIENCE_SECONDS", 0.0)

            async def stands() -> bool:
                return len(await world.deliveries()) == 3

            await world.until(stands)
            # As when it is paused and resumed: what has a row is due.
            await save(world, subscription, "active")
            await world.pool.execute(
                "UPDATE deliveries SET next_attempt_at = now() - interval '1 hour' WHERE event_uid = $1", uid
            )
            await saving.execute("LOCK TABLE subscriptions IN ACCESS EXCLUSIVE MODE")
        await world.until(lambda: is_waiting(world, "subscriptions"))
        sink.let_go()

        async def is_delivered() -> bool:
            return any(
                row["status"] == "delivered" and row["event_uid"] == uid for row in await world.deliveries()
            )

        await world.until(is_delivered)
    rows = await world.settled(3)
    assert Counter(request.id for request in sink.requests) == {
        str(row["id"]): 2 if row["id"] == other["id"] else 1 for row in rows
    }


async def test_a_row_that_was_being_brought_when_its_shard_was_lost_is_brought_when_it_is_back(
    world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url, backoffDelay="PT1S", backoffMax="PT1S")
    sink.answers([503])
    handler = world.start()
    await world.emit()
    await world.until(lambda: is_retrying(world))
    (row,) = await world.deliveries()
    dispatcher = handler._dispatcher
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE subscriptions IN ACCESS EXCLUSIVE MODE")
        await world.pool.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)
        await world.until(lambda: is_waiting(world, "project_version"))
        dispatcher._departures.lose(dispatcher.shards[row["shard"]])
        await world.pool.execute(
            "UPDATE shards SET owner = NULL, lease_until = NULL, epoch = epoch + 1 WHERE shard = $1",
            row["shard"],
        )
    await asyncio.sleep(0)
    world.tick()
    (row,) = await world.settled()
    assert row["status"] == "delivered"
    assert len(sink.requests) == 2


async def test_a_retry_does_not_come_early_because_its_record_had_to_wait(world: World, sink: Sink) -> None:
    await world.subscribe(
        sink.url, [{"exact": {"type": "a"}}], backoffDelay="PT1S", backoffPolicy="linear", retry=2
    )
    sink.answer(503)
    world.start()
    await world.emit(type="a")
    await sink.wait(1)
    await world.until(lambda: is_retrying(world))
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM shards FOR UPDATE")
        await sink.wait(2)
        await world.until(lambda: is_waiting(world, "shards"))
        await asyncio.sleep(0.8)
    while len(sink.requests) < 3:
        await world.emit(type="b")  # every wake has it looked for what is due
        await asyncio.sleep(0.05)
    await world.settled()
    second, third = await world.pool.fetch(
        "SELECT started_at, duration_us FROM attempts WHERE project_id = $1 ORDER BY number", world.project.id
    )
    ended = second["started_at"] + timedelta(microseconds=second["duration_us"])
    assert third["started_at"] - ended >= timedelta(seconds=0.8 * 2)
