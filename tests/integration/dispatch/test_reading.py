"""What is read of a shard is taken in its order, whatever becomes of the shard meanwhile."""

import asyncio

import asyncpg

from shared.core.ids import SHARDS
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.integration.dispatch.test_safety import insert
from tests.support.projects import create_project
from tests.support.sink import Sink


async def test_what_was_passed_over_while_its_shard_was_leaving_is_read_when_it_stays(
    world: World, sink: Sink, pool: asyncpg.Pool, settings: Settings
) -> None:
    """The rows after it are of a project whose subscriptions have to be read first: the shard comes back in that time."""
    await world.subscribe(sink.url)
    later = World(world.resources, pool, await create_project(pool, settings))
    await later.subscribe(sink.url)
    handler = world.start()
    world.tick()

    async def holds_all() -> bool:
        return handler._dispatcher is not None and len(handler._dispatcher.shards) == SHARDS

    await world.until(holds_all)
    dispatcher = handler._dispatcher
    shard = dispatcher.shards[3]
    first, second = (
        dispatcher._subscriptions._reading.setdefault(one.project.id, asyncio.Lock())
        for one in (world, later)
    )

    async def are_read(lock: asyncio.Lock) -> bool:
        return bool(lock._waiters)

    async with second:
        async with first:
            async with pool.acquire() as connection, connection.transaction():
                for one in (world, later):
                    await insert(connection, one, 3)
            world.resources.wake.shards({3})
            await world.until(lambda: are_read(first))
            shard.leaving = True
        await world.until(lambda: are_read(second))
        dispatcher._departures._stay(shard)
    assert len(await later.settled()) == 1
    assert len(await world.settled()) == 1
    assert len(sink.requests) == 2
