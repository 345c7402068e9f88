"""A dispatcher that is told to end hands on what is left of its work at once: nobody waits for the tick.

As on Knative: wakes go to `K_SINK`, and there is no broker in the process.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from events.dispatch.handler import Dispatch, create
from shared.core.ids import SHARDS, shard_of_key
from shared.runtime.handler import OwnEvent
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.metrics import values
from tests.support.sink import Answer, Sink

TICK = {"type": "dev.weir.tick", "source": "/tests", "data": {}}
WAKE = {"type": "dev.weir.wake", "source": "/tests", "data": {"shards": list(range(SHARDS))}}


class Instance:
    """A dispatcher that has been asked for every shard."""

    def __init__(self, resources: Resources, event: OwnEvent = TICK) -> None:
        self.resources = resources
        self.handler: Dispatch = create(resources)
        self.request = asyncio.ensure_future(self.handler.handle(event))

    @property
    def owner(self) -> str:
        """Its name in the table of shards."""
        dispatcher = self.handler._dispatcher
        assert dispatcher is not None
        return dispatcher._leases.owner

    async def end(self) -> None:
        """What SIGTERM does."""
        self.resources.draining = True
        await self.handler.drain()
        await self.request


@asynccontextmanager
async def instance(world: World, settings: Settings) -> AsyncIterator[Instance]:
    resources = Resources(settings)
    made = Instance(resources)

    async def holds_all() -> bool:
        return len(dispatcher.shards) == SHARDS if (dispatcher := made.handler._dispatcher) else False

    await world.until(holds_all)
    try:
        yield made
    finally:
        await resources.close()


@pytest.fixture
async def broker(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sink]:
    async with Sink() as running:
        monkeypatch.setenv("K_SINK", running.url)
        yield running


@asynccontextmanager
async def wakes_of(*instances: Instance) -> AsyncIterator[str]:
    """The address of a broker that hands wakes to the first of them that does not end."""

    async def take(request: web.BaseRequest) -> web.Response:
        data = await request.json()
        heir = next((one for one in instances if not one.resources.draining), None)
        if heir is None:
            return web.Response(status=503)
        await heir.handler.handle({**WAKE, "data": data})
        return web.Response(status=202)

    runner = web.ServerRunner(web.Server(take), shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def owners(world: World) -> dict[int, str]:
    rows = await world.pool.fetch("SELECT shard, owner FROM shards WHERE owner IS NOT NULL")
    return {row["shard"]: row["owner"] for row in rows}


def woken(broker: Sink) -> set[int]:
    return {shard for request in broker.requests for shard in request.json()["shards"]}


def taken_over() -> float:
    """How many shards were taken from owners whose lease had run out."""
    return values(METRICS.render()).get("weir_shard_takeovers_total", 0)


async def shard_of(world: World, uid: object) -> int:
    number: int = await world.pool.fetchval("SELECT shard FROM events WHERE uid = $1", uid)
    return number


async def test_with_nothing_left_nobody_is_woken(
    world: World, settings: Settings, sink: Sink, broker: Sink
) -> None:
    await world.subscribe(sink.url)
    async with instance(world, settings) as ending:
        await world.emit(3)
        await world.settled(3)
        await ending.end()
    assert broker.requests == []


async def test_what_waits_for_a_retry_goes_on_elsewhere(
    world: World, settings: Settings, sink: Sink, broker: Sink
) -> None:
    sink.answer(503)
    await world.subscribe(sink.url, backoffDelay="PT30S")
    async with instance(world, settings) as ending:
        (uid,) = await world.emit()
        await sink.wait(1)
        await ending.end()
    assert await shard_of(world, uid) in woken(broker)


async def test_no_shard_waits_for_what_takes_long_of_another(
    world: World, settings: Settings, sink: Sink, broker: Sink
) -> None:
    sink.choose(lambda request: Answer(hang=request.header("ce-subject") == "slow"))
    await world.subscribe(sink.url, timeout="PT60S")
    async with instance(world, settings) as ending:
        (slow,) = await world.emit(subject="slow")
        await sink.wait(1)
        held = await shard_of(world, slow)
        end = asyncio.ensure_future(ending.end())

        async def given_back() -> bool:
            owned = await world.pool.fetch("SELECT shard FROM shards WHERE owner IS NOT NULL")
            return {row["shard"] for row in owned} == {held}

        await world.until(given_back)
        assert not end.done()
        sink.let_go()
        await end
    assert len(sink.requests) == 1
    (delivery,) = await world.settled()
    assert delivery["status"] == "delivered"


async def test_another_goes_on_before_any_lease_has_run_out(
    world: World, settings: Settings, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With each shard that has something left, although the sink holds on to its requests and more comes in."""
    sink.answer(delay=0.05)
    await world.subscribe(sink.url, ordering="partitionkey")
    keys = [f"k{number}" for number in range(48)]
    async with instance(world, settings) as ending:
        resources = Resources(settings)
        other = Instance(resources, WAKE)
        async with wakes_of(ending, other) as address:
            monkeypatch.setenv("K_SINK", address)

            async def shared() -> bool:
                ending.handler._dispatcher._busy_at = time.monotonic()  # it does not go to sleep before
                return len(set((await owners(world)).values())) == 2

            await world.until(shared)
            for key in keys:
                await world.emit(3, partitionkey=key)
            used = {shard_of_key(world.project.id, key) for key in keys}
            before = {s for s, owner in (await owners(world)).items() if owner == ending.owner} & used
            assert before
            sink.answer(delay=2.0)
            for key in keys:
                await world.emit(3, partitionkey=key)
            end = asyncio.ensure_future(ending.end())
            for key in keys:
                await world.emit(3, partitionkey=key)

            async def gone_on() -> bool:
                now = await owners(world)
                return {shard for shard, owner in now.items() if owner == other.owner} >= before

            before_that = taken_over()
            await world.until(gone_on)
            assert taken_over() == before_that
            sink.answer()
            await end
            await world.settled(9 * len(keys))
            await other.end()
            await resources.close()


async def test_a_request_that_has_lasted_long_enough_leaves_its_shards_to_another(
    world: World, settings: Settings, sink: Sink, broker: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be worked on here without a request that says so, and Knative would end what looks idle."""
    monkeypatch.setattr("events.dispatch.leases.HOLD_SECONDS", 1.0)
    await world.subscribe(sink.url)
    async with instance(world, settings) as ending:
        ending.handler._dispatcher._busy_at = time.monotonic()  # it does not go to sleep before
        await ending.request
        await broker.wait(1)
        assert woken(broker) == set(range(SHARDS))
        assert await world.pool.fetchval("SELECT count(*) FROM shards WHERE owner IS NOT NULL") == 0
        await ending.end()
