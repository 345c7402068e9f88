"""What must hold when things go wrong: no event is passed over, no stale owner writes, nothing is lost."""

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.dispatch import queries
from events.dispatch.dispatcher import LINGER_SECONDS
from events.dispatch.work import Change, Ending, Shard
from shared.core.ids import SHARDS, identity, uuid7
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from shared.sending.outgoing import Attempted
from tests.integration.dispatch.conftest import World, event
from tests.support.sink import Answer, Sink


async def insert(connection: asyncpg.Connection, world: World, shard: int) -> UUID:
    uid = uuid7()
    await connection.execute(
        "INSERT INTO events (uid, identity, project_id, shard, data_kind, id, source, type, specversion)"
        " VALUES ($1, $2, $3, $4, 0, $5, '/late', 't', '1.0')",
        uid,
        identity(world.project.id, "/late", str(uid)),
        world.project.id,
        shard,
        str(uid),
    )
    return uid


async def test_a_transaction_that_commits_late_is_not_passed_over(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    async with world.pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        late = await insert(slow, world, 3)
        async with world.pool.acquire() as quick:
            early = await insert(quick, world, 3)
        world.resources.wake.shards({3})
        # The later transaction has ended first: neither event may go before the older one has.
        await asyncio.sleep(0.3)
        assert not sink.requests
        await transaction.commit()
    rows = await world.settled(2)
    assert {row["event_uid"] for row in rows} == {late, early}


async def test_an_unrelated_open_transaction_only_delays(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    async with world.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT pg_current_xact_id()")
        await world.emit()
        await asyncio.sleep(0.2)
        assert not sink.requests
        await transaction.rollback()
    # No wake comes any more: the reader knows that something is behind the horizon.
    await sink.wait(1, timeout=10)
    await world.settled()


async def test_a_lost_wake_is_made_up_for_by_the_tick(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.subscribe(sink.url)
    world.start()
    monkeypatch.setattr(world.resources.wake, "shards", lambda _: None)
    await world.emit(3)
    assert not sink.requests
    world.tick()
    assert len(await world.settled(3)) == 3


async def test_without_redis_events_are_delivered(settings: Settings, world: World, sink: Sink) -> None:
    lonely = Resources(
        settings.model_copy(update={"redis_url": type(settings.redis_url)("redis://127.0.0.1:1/0")})
    )
    await world.subscribe(sink.url)
    there = World(lonely, world.pool, world.project)
    there.start()
    try:
        await there.emit(5, partitionkey="k")
        assert len(await there.settled(5)) == 5
        # Another process cannot wake this one now; it looks for itself.
        await world.emit(1, partitionkey="k")
        assert len(await there.settled(6)) == 6
    finally:
        for handler in there.handlers:
            await handler.drain()
        await lonely.close()


async def test_a_delivery_that_was_under_way_at_a_crash_is_repeated_with_its_id(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url, timeout="PT30S")
    crashing = Resources(settings)
    there = World(crashing, world.pool, world.project)
    handler = there.start()
    sink.answers([Answer(hang=True)], then=200)
    await there.emit()
    await sink.wait(1)
    await there.crash(handler, crashing)
    world.start()
    world.tick()
    first, second = await sink.wait(2)
    assert first.id == second.id
    (row,) = await world.settled()
    assert row["status"] == "delivered"


async def test_a_row_that_was_under_way_at_a_crash_is_due_at_once(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url, timeout="PT60S")
    crashing = Resources(settings)
    there = World(crashing, world.pool, world.project)
    handler = there.start()
    sink.answers([Answer(hang=True)], then=200)
    await there.emit()
    await sink.wait(1)
    await there.until(there.deliveries)  # its patience has ended, a row stands for it
    await there.crash(handler, crashing)
    world.start()
    world.tick()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", 1)
    assert sink.requests[0].id == sink.requests[1].id


async def test_an_owner_whose_shard_was_taken_writes_nothing(world: World, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE shards SET owner = NULL, lease_until = NULL")
    (old,) = await queries.acquire(pool, "old", [5], 10)
    assert await queries.acquire(pool, "new", [5], 10) == []
    await pool.execute("UPDATE shards SET lease_until = now() - interval '1 second' WHERE shard = 5")
    (new,) = await queries.acquire(pool, "new", [5], 10)
    assert (new["epoch"], new["former"]) == (old["epoch"] + 1, "old")
    uid = uuid7()
    row: list[Any] = [uuid7(), world.project.id, uid, uuid4(), 1, 5, "delivered", 1, False, *[None] * 12]
    cursor = (5, old["epoch"], 10**9, uid)
    assert await queries.record(pool, "old", 10, [cursor], [row]) == set()
    assert await queries.renew(pool, "old", {5: old["epoch"]}, 10) == set()
    await queries.release(pool, "old", {5: old["epoch"]})
    shard = await pool.fetchrow("SELECT * FROM shards WHERE shard = 5")
    assert (shard["owner"], shard["cursor_xid"]) == ("new", old["cursor_xid"])
    assert await pool.fetchval("SELECT count(*) FROM deliveries WHERE event_uid = $1", uid) == 0
    assert await queries.record(pool, "new", 10, [(5, new["epoch"], 10**9, uid)], [row]) == {5}
    await pool.execute(
        "UPDATE shards SET owner = NULL, lease_until = NULL, cursor_xid = '0', cursor_uid = $1", UUID(int=0)
    )


async def test_a_dispatcher_that_lost_its_shards_forgets_them(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    await world.emit()
    await world.settled()
    assert handler._dispatcher.shards
    await world.pool.execute(
        "UPDATE shards SET owner = 'other', epoch = epoch + 1, lease_until = now() + interval '3 seconds'"
    )
    for shard in list(handler._dispatcher.shards.values()):
        shard.leased_until = 0.0

    async def forgotten() -> bool:
        return not handler._dispatcher.shards

    await world.until(forgotten)
    assert all(isinstance(s, Shard) for s in handler._dispatcher.shards.values())
    # The other one never renews: its lease runs out, and a tick takes over.
    await world.emit()
    world.tick()
    assert len(await world.settled(2)) == 2


async def test_under_a_lease_that_has_run_out_nothing_is_started(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped for longer than its lease has requests at hand that another has made since."""
    monkeypatch.setattr("events.dispatch.dispatcher.KEEP_SECONDS", 3.0)
    await world.subscribe(sink.url, maxInFlight=1)
    handler = world.start()
    sink.answer(delay=0.3)
    await world.emit(3, partitionkey="k")
    await sink.wait(1)
    await world.pool.execute(
        "UPDATE shards SET owner = 'other', epoch = epoch + 1, lease_until = now() + interval '1 minute'"
    )
    for shard in handler._dispatcher.shards.values():
        shard.leased_until = 0.0

    async def forgotten() -> bool:
        return not handler._dispatcher.shards

    await world.until(forgotten)
    assert len(sink.requests) == 1


async def test_a_lease_that_ran_out_and_is_still_ours_goes_on(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, maxInFlight=1)
    handler = world.start()
    sink.answer(delay=0.3)
    await world.emit(3, partitionkey="k")
    await sink.wait(1)
    for shard in handler._dispatcher.shards.values():
        shard.leased_until = 0.0
    assert len(await world.settled(3)) == 3
    assert len(sink.requests) == 3


async def test_a_shard_that_is_ours_without_our_knowing_is_taken_at_once(world: World, sink: Sink) -> None:
    """A frozen database carries out what its client has given up, and then says that we are the owner."""
    await world.subscribe(sink.url)
    handler = world.start()
    await world.emit()
    await world.settled()
    for shard in list(handler._dispatcher.shards.values()):
        handler._dispatcher._departures.lose(shard)
    await world.pool.execute(
        "UPDATE shards SET owner = $1, epoch = epoch + 1, lease_until = now() + interval '15 seconds'",
        handler._dispatcher._leases.owner,
    )
    epochs = await world.pool.fetch("SELECT shard, epoch FROM shards ORDER BY shard")
    await world.emit()
    assert len(await world.settled(2)) == 2
    # Not taken over when the lease had run out: that makes a new epoch.
    assert await world.pool.fetch("SELECT shard, epoch FROM shards ORDER BY shard") == epochs


async def test_two_dispatchers_share_no_delivery(settings: Settings, world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    second = Resources(settings)
    other = World(second, world.pool, world.project)
    world.start()
    other.start()
    try:
        for _ in range(10):
            await asyncio.gather(world.emit(10), other.emit(10))
        rows = await world.settled(200)
        assert len(rows) == 200
        assert len(sink.requests) == 200
        held = [set(w.handlers[0]._dispatcher.shards) for w in (world, other)]
        assert not held[0] & held[1]
    finally:
        for handler in other.handlers:
            await handler.drain()
        await second.close()


async def test_draining_gives_the_shards_back(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    await world.emit(5)
    await sink.wait(5)
    await handler.drain()
    assert len(await world.deliveries()) == 5
    assert await world.pool.fetchval("SELECT count(*) FROM shards WHERE owner IS NOT NULL") == 0
    world.handlers.remove(handler)


async def test_idle_shards_are_given_back(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    world.tick()

    async def given_back() -> bool:
        free = await world.pool.fetchval("SELECT count(*) FROM shards WHERE owner IS NULL")
        return free == SHARDS and handler._dispatcher is not None and not handler._dispatcher.shards

    async def taken() -> bool:
        return handler._dispatcher is not None and len(handler._dispatcher.shards) == SHARDS

    await world.until(taken)
    # Events that another test left unread are work: then shards are kept for LINGER_SECONDS more.
    await world.until(given_back, timeout=4 * LINGER_SECONDS)
    await world.emit()
    assert len(await world.settled()) == 1


async def test_the_database_goes_away_and_comes_back(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    await world.emit(3)
    await world.settled(3)
    await world.pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    async def emitted() -> bool:
        try:
            await world.emit(3)
        except Exception:
            return False
        return True

    async def delivered() -> bool:
        try:
            rows = await world.deliveries()
        except Exception:
            return False
        return len(rows) == 6 and all(row["status"] == "delivered" for row in rows)

    await world.until(emitted)
    await world.until(delivered)


async def test_events_survive_midnight_of_two_clocks(world: World, sink: Sink) -> None:
    """An event whose uid is older than the cursor by a day's difference of clocks is still found."""
    await world.subscribe(sink.url)
    world.start()
    (first,) = await world.emit(partitionkey="k")
    await world.settled()
    (stored,) = await world.send(event(partitionkey="k"))
    await world.settled(2)
    assert first < stored.uid
    day = UUID(int=stored.uid.int - (86_400_000 << 80))
    shard = await world.pool.fetchval("SELECT shard FROM events WHERE uid = $1", stored.uid)
    async with world.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO events (uid, identity, project_id, shard, data_kind, id, source, type, specversion)"
            " VALUES ($1, $2, $3, $4, 0, 'slow clock', '/late', 't', '1.0')",
            day,
            uuid4(),
            world.project.id,
            shard,
        )
    world.tick()
    assert len(await world.settled(3)) == 3


async def test_a_subscription_that_cannot_be_read_ends_its_own_deliveries_and_no_others(
    world: World, sink: Sink
) -> None:
    """Such a row can be of another version of Weir, or of a hand that wrote to the database."""
    address = await world.subscribe("http://\\/")
    dead_letter = await world.subscribe(sink.url, deadLetterSink="http://][::1")
    filters = await world.subscribe(sink.url, filters={"not": "a list"})  # type: ignore[arg-type]
    good = await world.subscribe(sink.url)
    world.start()
    await world.emit()
    rows = await world.settled(4)
    statuses = {row["subscription_id"]: row["status"] for row in rows}
    assert statuses == {address: "dead", dead_letter: "dead", filters: "dead", good: "delivered"}
    assert len(sink.requests) == 1
    errors = {r["subscription_id"]: r["last_error"] for r in rows if r["status"] == "dead"}
    assert all("cannot be used" in error for error in errors.values())


async def test_an_attempt_that_took_longer_than_can_be_written_is_recorded(world: World, sink: Sink) -> None:
    """A process that is stopped for an hour sees its request end after an hour."""
    await world.subscribe(sink.url, backoffDelay="PT1H")
    sink.answer(503)
    handler = world.start()
    await world.emit()

    async def is_retrying() -> bool:
        return any(row["status"] == "retrying" for row in await world.deliveries())

    await world.until(is_retrying)
    (row,) = await world.deliveries()
    dispatcher = handler._dispatcher
    version = await world.pool.fetchval("SELECT version FROM projects WHERE id = $1", world.project.id)
    found = await dispatcher._subscriptions.get(world.project.id, version)
    now = time.time()
    ending = Ending("delivered", 2, ended_at=now)
    attempted = Attempted(now - 3600, 3_600_000_000, 200, None, None)
    subscription = found.by_id[row["subscription_id"]]
    shard = dispatcher.shards[row["shard"]]
    dispatcher._recorder.change(
        Change(shard, row["id"], subscription, world.project.id, ending, None, attempted)
    )
    await world.settled()
    assert (
        await world.pool.fetchval("SELECT duration_us FROM attempts WHERE delivery_id = $1", row["id"])
        == 2**31 - 1
    )


async def test_a_process_drains_although_the_database_breaks_off(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    world.handlers.remove(handler)
    sink.answer(delay=3)
    await world.emit()
    await sink.wait(1)
    dispatcher = handler._dispatcher
    for shard in dispatcher.shards.values():
        shard.leased_until = time.monotonic() + 5  # so that it is to be renewed
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM shards ORDER BY shard FOR UPDATE")
        draining = asyncio.create_task(handler.drain())
        broken = 0
        async with asyncio.timeout(60):
            while broken < 3 and not draining.done():
                broken += await world.pool.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND position('UPDATE shards' in query) > 0"
                )
                await asyncio.sleep(0.05)
    await asyncio.wait_for(draining, 20)
    assert not dispatcher.shards
    assert not dispatcher._loops
