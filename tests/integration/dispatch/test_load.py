"""On Knative, what is open counts: a dispatcher with a lot to do keeps requests open that stand for it."""

import asyncio
import time

from shared.core.ids import SHARDS
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.integration.dispatch.test_hand_over_at_the_end import broker, instance, woken
from tests.support.sink import Answer, Sink

__all__ = ["broker"]
WAKE = {"type": "dev.weir.wake", "source": "/tests"}


async def test_each_busy_shard_has_a_request_that_stays_open(
    world: World, settings: Settings, sink: Sink, broker: Sink
) -> None:
    sink.choose(lambda _: Answer(delay=0.2))
    await world.subscribe(sink.url, ordering="partitionkey")
    async with instance(world, settings) as working:
        uids = [uid for key in ("a", "b", "c") for uid in await world.emit(60, partitionkey=key)]
        busy = {shard["shard"] for shard in await shards_of(world, uids)}
        requests = await broker.wait(2 * len(busy))
        assert woken(broker) == busy
        assert {request.json()["staySeconds"] for request in requests} == {3.0}
        assert len({request.json()["shards"][0] for request in requests[: len(busy)]}) == len(busy)
        await world.settled(len(uids))
        await working.end()


async def test_a_few_events_keep_nothing_open(
    world: World, settings: Settings, sink: Sink, broker: Sink
) -> None:
    await world.subscribe(sink.url)
    async with instance(world, settings) as working:
        for _ in range(20):
            await world.emit()
            await asyncio.sleep(0.2)  # a trickle, and some looks at it
        await world.settled(20)
        assert broker.requests == []
        await working.end()


async def test_a_request_stays_as_long_as_it_is_told(world: World, settings: Settings, broker: Sink) -> None:
    async with instance(world, settings) as working:
        started = time.monotonic()
        data = {"shards": list(range(SHARDS)), "staySeconds": 1}
        await working.handler.handle({**WAKE, "data": data})
        assert time.monotonic() - started >= 1
        data["staySeconds"] = 60
        staying = asyncio.ensure_future(working.handler.handle({**WAKE, "data": data}))
        await working.end()
        await asyncio.wait_for(staying, 60)


async def shards_of(world: World, uids: list[object]) -> list[dict[str, int]]:
    rows = await world.pool.fetch("SELECT DISTINCT shard FROM events WHERE uid = ANY($1)", uids)
    return [dict(row) for row in rows]
