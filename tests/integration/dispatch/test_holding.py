"""Away from the local broker a request holds shards for a while, and a fresh one goes on."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from statistics import median

import pytest

from events.dispatch.gate import LONG_SECONDS
from events.dispatch.handler import Dispatch, create
from tests.integration.dispatch.conftest import World
from tests.support.lag import own_lag
from tests.support.sink import Answer, Received, Sink

HOLD_SECONDS = 2.5


@asynccontextmanager
async def woken_by_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dispatch]:
    """A dispatcher that a broker wakes by requests, as on Knative."""
    handler = create(world.resources)
    assert isinstance(handler, Dispatch)
    open_: set[asyncio.Task[None]] = set()

    def hand_on(request: Received) -> Answer:
        event = {"type": request.header("ce-type"), "source": "/weir", "data": json.loads(request.body)}
        task = asyncio.get_running_loop().create_task(handler.handle(event))
        open_.add(task)
        task.add_done_callback(open_.discard)
        return Answer(202)

    monkeypatch.setattr("events.dispatch.leases.HOLD_SECONDS", HOLD_SECONDS)
    async with Sink() as broker:
        broker.choose(hand_on)
        monkeypatch.setenv("K_SINK", broker.url)
        world.handlers.append(handler)
        yield handler
        await handler.drain()
        world.handlers.clear()
        if open_:
            await asyncio.wait(open_, timeout=60)
        assert not open_


async def epochs(world: World) -> dict[int, int]:
    return dict(await world.pool.fetch("SELECT shard, epoch FROM shards"))


@pytest.mark.parametrize("every", [1, 25])
async def test_new_events_do_not_wait_for_a_sink_that_hangs_when_their_shard_s_time_is_up(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """Of its requests, one in `every` hangs; the others are answered at once."""
    await world.subscribe(f"{sink.url}/hangs", timeout="PT9S", retry=0)
    await world.subscribe(f"{sink.url}/well")
    hangs = True
    asked = count(1)
    sink.choose(lambda r: Answer(hang=r.path == "/hangs" and next(asked) % every == 0 and hangs))
    async with woken_by_requests(world, monkeypatch), own_lag(world.pool) as lag:
        before = await epochs(world)
        sent: dict[str, float] = {}
        until = time.monotonic() + 4 * HOLD_SECONDS
        while time.monotonic() < until:
            name = f"e-{len(sent)}"
            sent[name] = time.time()
            await world.emit(id=name)
            await asyncio.sleep(0.05)
        hangs = False
        await world.settled(2 * len(sent))
        came = [(r.header("ce-id"), r.at) for r in sink.requests if r.path == "/well"]
        assert Counter(name for name, _ in came) == dict.fromkeys(sent, 1)
        late = sorted(at - sent[name or ""] for name, at in came)
        # A stop ends when a request turns out long; a stop for as long as one may take was 2 s and more for these.
        assert late[len(late) * 9 // 10] < LONG_SECONDS + 0.5 + median(lag)
        assert late[-1] < 5.0 + max(lag)
        hung = Counter(r.id for r in sink.requests if r.path == "/hangs")
        assert set(hung.values()) == {1}
        assert len(hung) == len(sent)

        async def handed_on() -> bool:
            now = await epochs(world)
            return any(now[shard] > before[shard] + 1 for shard in now)

        # What hung has ended: fresh requests go on.
        await world.until(handed_on)


async def test_a_shard_that_is_ending_does_nothing_more_that_takes_long(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = await world.subscribe(f"{sink.url}/slow", timeout="PT30S", maxInFlight=4)
    await world.subscribe(f"{sink.url}/well")
    sink.choose(lambda r: Answer(delay=1.5 if r.path == "/slow" else 0))
    async with woken_by_requests(world, monkeypatch) as handler:
        before = await epochs(world)
        await world.emit(60)

        async def handed_on() -> bool:
            now = await epochs(world)
            return sum(now[shard] > before[shard] + 1 for shard in now) >= 2

        # There is always something waiting for the slow one, and yet shards change hands.
        await world.until(handed_on)
        waiting = await world.pool.fetchval(
            "SELECT count(*) FROM deliveries WHERE subscription_id = $1 AND ended_at IS NULL", slow
        )
        assert waiting > 0
        assert handler._dispatcher is not None
        sink.choose(lambda _: Answer())
        rows = await world.settled(120)
    assert {row["status"] for row in rows} == {"delivered"}
    assert set(Counter(r.id for r in sink.requests).values()) == {1}


async def test_a_slow_sink_goes_on_as_long_as_another_one_s_requests_hold_its_shards_up(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.subscribe(f"{sink.url}/hangs", timeout="PT60S", retry=0, maxInFlight=100)
    await world.subscribe(f"{sink.url}/slow", timeout="PT30S", maxInFlight=8)
    sink.choose(lambda r: Answer(hang=True) if r.path == "/hangs" else Answer(delay=1.2))
    async with woken_by_requests(world, monkeypatch):
        await world.emit(100)

        async def got_its_part() -> bool:
            return sum(r.path == "/slow" for r in sink.requests) > 48

        # Six rounds of eight are over, long before anything that hangs is.
        await world.until(got_its_part, timeout=50)
        sink.let_go()
        await world.settled(200)
    assert set(Counter(r.id for r in sink.requests).values()) == {1}
