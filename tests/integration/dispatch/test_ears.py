"""Hearing of what other processes took in, also after the connection by which one hears has broken off."""

import asyncio

from events.dispatch.handler import Dispatch
from shared.core.ids import SHARDS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.sink import Sink


async def listeners(world: World) -> set[str]:
    """The ids of Redis' clients that are subscribed to something."""
    client = await world.resources.redis()
    return {found["id"] for found in await client.client_list(_type="pubsub")}


async def hears(world: World, handler: Dispatch) -> bool:
    dispatcher = handler._dispatcher
    if dispatcher is None or len(dispatcher.shards) < SHARDS:
        return False
    return not dispatcher._ears.deaf and len(dispatcher._ears._active) == SHARDS


async def test_wakes_are_heard_again_after_the_listening_connection_was_killed(
    settings: Settings, world: World, sink: Sink
) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    world.tick()
    await world.until(lambda: hears(world, handler))
    resources = Resources(settings)
    elsewhere = World(resources, world.pool, world.project)
    try:
        await elsewhere.emit()
        await sink.wait(1, timeout=5)
        before = await listeners(world)
        assert before
        client = await world.resources.redis()
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        # What comes meanwhile is looked for.
        await elsewhere.emit()
        await sink.wait(2, timeout=5)

        async def listens_again() -> bool:
            return bool(await listeners(world) - before) and await hears(world, handler)

        await world.until(listens_again)
        await asyncio.sleep(0.5)  # the last look that deafness had asked for is over
        for count in range(3, 6):
            await elsewhere.emit()
            await sink.wait(count, timeout=5)
    finally:
        await resources.close()
