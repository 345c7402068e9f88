"""What is told of sinks whose subscriptions are being deleted."""

import asyncio
from datetime import UTC, datetime

from events.dispatch import queries
from tests.integration.dispatch.conftest import World
from tests.support.waiting import until


async def test_what_is_told_of_a_subscription_that_is_just_deleted_is_dropped(world: World) -> None:
    going, staying = await world.subscribe("http://sink.test/"), await world.subscribe("http://sink.test/")
    now = datetime.now(UTC)
    rows = [(one, 1, "open", now, now, "timeouts", None, 30.0) for one in (going, staying)]
    async with world.pool.acquire() as other, world.pool.acquire() as telling:
        pid = telling.get_server_pid()

        async def waits() -> bool:
            blocked = await world.pool.fetchval("SELECT cardinality(pg_blocking_pids($1))", pid)
            return bool(blocked)

        async with other.transaction():
            await other.execute("DELETE FROM subscriptions WHERE id = $1", going)
            told = asyncio.create_task(queries.tell_health(telling, "me", rows))
            await until(waits)
        await told
    assert [row["subscription_id"] for row in await world.pool.fetch("SELECT * FROM sink_health")] == [
        staying
    ]
