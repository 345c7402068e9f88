"""Several dispatchers share the shards evenly, and no delivery is done twice for it."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.core.ids import SHARDS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.served import Served
from tests.support.sink import Answer, Sink
from tests.support.waiting import PATIENCE_SECONDS


@asynccontextmanager
async def another(settings: Settings, world: World) -> AsyncIterator[World]:
    """One more process with a dispatcher, as far as the stores can tell."""
    resources = Resources(settings)
    there = World(resources, world.pool, world.project)
    there.start()
    try:
        yield there
    finally:
        for handler in there.handlers:
            await handler.drain()
        await resources.close()


def ask(world: World, *shards: int) -> None:
    """Wake this process for these shards, or all, as the broker does; it lingers for a while."""
    data = {"shards": list(shards or range(SHARDS))}
    world.resources.wake.local.send({"type": "dev.weir.wake", "source": "/weir", "data": data})


def held(*worlds: World) -> list[set[int]]:
    return [set(d.shards) if (d := w.handlers[0]._dispatcher) is not None else set() for w in worlds]


def even(*worlds: World) -> bool:
    """Whether all shards are held, each by one, and shares differ by one at most."""
    parts = held(*worlds)
    sizes = [len(part) for part in parts]
    return sum(sizes) == SHARDS == len(set().union(*parts)) and max(sizes) - min(sizes) <= 1


async def until_even(*worlds: World, timeout: float = PATIENCE_SECONDS) -> None:
    async def check() -> bool:
        return even(*worlds)

    await worlds[0].until(check, timeout)


async def test_shards_are_shared_evenly_within_seconds(settings: Settings, world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    ask(world)
    await until_even(world)
    async with another(settings, world) as second:
        ask(second)
        await until_even(world, second, timeout=20)
        async with another(settings, world) as third:
            ask(third)
            await until_even(world, second, third, timeout=20)
            before = held(world, second, third)
            await asyncio.sleep(2.5)  # some more rounds: nothing moves to and fro
            assert held(world, second, third) == before


async def test_what_is_handed_over_beyond_what_was_asked_for_is_worked_on(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url)
    world.start()
    ask(world)
    await until_even(world)
    async with another(settings, world) as second:
        ask(second, 1, 6)
        await until_even(world, second)
        for number in (1, 2, 3):  # what it looks at because it has just begun is no sign
            await world.emit(4 * SHARDS)
            assert len(await world.settled(number * 4 * SHARDS)) == number * 4 * SHARDS


async def test_no_delivery_is_done_twice_while_shards_move(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.1S", retry=5)
    failed: set[str] = set()

    def choose(request: object) -> Answer:
        # Every tenth delivery fails once: rows move too.
        name = request.id or ""
        if name.endswith(("0", "1")) and name not in failed:
            failed.add(name)
            return Answer(503)
        return Answer(delay=0.01)

    sink.choose(choose)
    world.start()
    sent = 0

    async def load(seconds: float, *through: World) -> None:
        nonlocal sent
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            for one in through:
                await one.emit(5)
                sent += 5
            await asyncio.sleep(0.01)

    await load(0.5, world)
    async with another(settings, world) as second, another(settings, world) as third:
        ask(second)
        await load(1.5, world, second)
        ask(third)
        await load(2.5, world, second, third)
        await until_even(world, second, third)
        rows = await world.settled(sent)
    assert len(rows) == sent
    assert {row["status"] for row in rows} == {"delivered"}
    times = Counter(request.id for request in sink.requests)
    wrong = {name: count for name, count in times.items() if count != 1 + (name in failed)}
    assert wrong == {}


async def test_a_busy_shard_that_does_not_come_to_rest_stays(
    settings: Settings, world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.dispatch.departures.MOVE_SECONDS", 0.5)
    await world.subscribe(sink.url, timeout="PT60S")
    sink.answers([Answer(hang=True)], then=200)
    world.start()
    (uid,) = await world.emit(partitionkey="k")
    await sink.wait(1)
    await until_held_all(world)
    shard = await world.pool.fetchval("SELECT shard FROM events WHERE uid = $1", uid)
    async with another(settings, world) as second:
        ask(second)
        await until_even(world, second)
        assert shard in held(world)[0]
        await world.emit(partitionkey="k")
        await sink.wait(2)
        assert len(sink.requests) == 2


async def until_held_all(world: World) -> None:
    ask(world)
    await until_even(world)


async def test_a_dead_worker_s_shards_are_taken_over_within_the_lease(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url)
    await until_started(world)
    with Served(["-m", "shared.runtime.serve", "--all"], settings, WEIR_SINK_ALLOW="127.0.0.0/8") as other:

        async def shared() -> bool:
            world.handlers[0]._dispatcher._busy_at = time.monotonic()  # it does not go to sleep meanwhile
            return len(held(world)[0]) == SHARDS // 2

        # Its tick, at the start, asks for a part.
        await world.until(shared)
        other.process.send_signal(signal.SIGKILL)
        other.process.wait()
    stored = await world.emit(40)

    async def taken() -> bool:
        world.handlers[0]._dispatcher._busy_at = time.monotonic()
        return len(held(world)[0]) == SHARDS

    # Nobody ticks: who holds the other shards sees to it.
    await world.until(taken)
    assert len(await world.settled(len(stored))) == 40


async def until_started(world: World) -> None:
    world.start()
    await until_held_all(world)


async def test_a_shard_that_was_handed_to_nobody_is_taken_again(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    await until_started(world)
    dispatcher = world.handlers[0]._dispatcher
    await dispatcher._departures.hand_over({"nobody": 3})
    assert len(dispatcher.shards) == SHARDS - 3

    await until_even(world)


async def test_one_request_waits_for_what_others_have(settings: Settings, world: World, sink: Sink) -> None:
    """Each that is open makes Knative start one more instance, which would wait as well."""
    await world.subscribe(sink.url)
    await until_started(world)

    async def keeps(_moves: object) -> None:
        """It hands over nothing."""

    world.handlers[0]._dispatcher._departures.hand_over = keeps
    async with another(settings, world) as second:
        wakes = [
            asyncio.ensure_future(
                second.handlers[0].handle(
                    {"type": "dev.weir.wake", "source": "/weir", "data": {"shards": [shard]}}
                )
            )
            for shard in range(SHARDS)
        ]
        done, waiting = await asyncio.wait(wakes, timeout=5)
        assert (len(done), len(waiting)) == (SHARDS - 1, 1)
    await asyncio.wait(waiting)


async def test_limits_hold_across_workers(settings: Settings, world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, maxInFlight=4)
    sink.answer(200, delay=0.02)
    await until_started(world)
    async with another(settings, world) as second:
        ask(second)
        await until_even(world, second)

        async def known() -> bool:
            shares = [w.handlers[0]._dispatcher._leases.share for w in (world, second)]
            return shares == [0.5, 0.5]

        await world.until(known)
        for _ in range(4):
            await asyncio.gather(world.emit(20), second.emit(20))
        await world.settled(160)
    assert 1 < sink.most_open <= 4


async def test_a_free_shard_that_is_locked_for_a_moment_is_taken_after_it(world: World, sink: Sink) -> None:
    """As by a process that gives it back at that moment."""
    await world.subscribe(sink.url)
    world.start()
    world.resources.wake.shards({3})
    await world.until(lambda: holds(world, {3}))
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM shards WHERE shard = 4 FOR UPDATE")
        world.resources.wake.shards({4})
        await asyncio.sleep(0.4)
    await world.until(lambda: holds(world, {3, 4}))


async def test_shards_that_cannot_be_given_back_are_worked_on(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    await world.emit(partitionkey="k")
    await world.settled()
    dispatcher = handler._dispatcher
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        giving = asyncio.create_task(dispatcher._departures.give_back(list(dispatcher.shards.values())))

        async def breaks() -> bool:
            return bool(
                await world.pool.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND position('FROM events e' in query) > 0"
                )
            )

        await world.until(breaks)
        await asyncio.wait([giving])
    assert giving.exception() is not None
    await world.emit(partitionkey="k")
    await sink.wait(2)


async def holds(world: World, numbers: set[int]) -> bool:
    return numbers <= held(world)[0]
