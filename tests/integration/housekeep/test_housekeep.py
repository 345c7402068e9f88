from datetime import UTC, datetime, timedelta

import asyncpg

from events.housekeep.handler import create
from shared.runtime.resources import Resources

TICK = {"type": "dev.weir.tick", "source": "/weir", "data": {}}


async def test_a_tick_makes_the_partitions_of_the_coming_days(
    resources: Resources, pool: asyncpg.Pool
) -> None:
    handler = create(resources)
    await handler.handle(TICK)
    await handler.handle(TICK)
    today = datetime.now(UTC).date()
    names = {row[0] for row in await pool.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'")}
    for offset in range(-1, 3):
        day = f"{today + timedelta(days=offset):%Y%m%d}"
        assert {f"events_p{day}", f"deliveries_p{day}", f"attempts_p{day}"} <= names
    await handler.drain()
