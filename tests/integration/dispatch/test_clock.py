"""The database's clock is set back: what was to happen by the old time must not wait until that comes again.

A clock that goes back by an hour is the same as all times that are stored going ahead by one.
"""

import time

import pytest

from tests.integration.dispatch.conftest import World
from tests.support.sink import Sink

HOUR = 3600.0
RETRY = {"backoffDelay": "PT1S", "backoffPolicy": "linear"}
AHEAD = "UPDATE deliveries SET next_attempt_at = next_attempt_at + interval '1 hour' WHERE project_id = $1"


async def test_a_lease_that_ends_in_an_hour_is_nobodys(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    await world.pool.execute(
        "UPDATE shards SET owner = 'dead', epoch = epoch + 1, lease_until = now() + interval '1 hour'"
    )
    world.start()
    await world.emit(3)
    world.tick()
    assert len(await world.settled(3)) == 3


async def test_what_a_dead_owner_left_to_be_retried_does_not_wait_an_hour(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, **RETRY)
    sink.answers([503], then=200)
    handler = world.start()
    await world.emit()
    await world.until(lambda: _retrying(world))
    await handler.drain()
    world.handlers.remove(handler)
    await world.pool.execute(AHEAD, world.project.id)
    await world.pool.execute(
        "UPDATE shards SET owner = 'dead', epoch = epoch + 1,"
        " lease_until = now() + interval '1 hour 10 seconds'"
    )
    world.start()
    world.tick()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", 2)


async def test_what_its_owner_retries_does_not_wait_an_hour(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, **RETRY)
    sink.answers([503], then=200)
    handler = world.start()
    await world.emit()
    await world.until(lambda: _retrying(world))
    await world.pool.execute(AHEAD, world.project.id)
    handler._dispatcher._clock.ahead += HOUR
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", 2)


async def _retrying(world: World) -> bool:
    return any(row["status"] == "retrying" for row in await world.deliveries())


@pytest.mark.parametrize("apart", [HOUR, -HOUR])
async def test_what_is_due_goes_by_the_databases_clock_alone(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    here = time.time
    monkeypatch.setattr(time, "time", lambda: here() + apart)
    await world.subscribe(sink.url, **RETRY)
    sink.answers([503], then=200)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", 2)
    first, second = sink.requests
    assert second.at - first.at >= 0.8
