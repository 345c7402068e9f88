from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from events.housekeep.handler import create
from shared.runtime.resources import Resources
from tests.support.projects import Project
from tests.support.stream import an_event, store

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


async def test_a_tick_counts_what_projects_received(
    resources: Resources, pool: asyncpg.Pool, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    await store(pool, project.id, [an_event(1), an_event(2)])
    handler = create(resources)
    await handler.handle(TICK)
    await handler.handle(TICK)
    counted = "SELECT sum(events) FROM traffic WHERE project_id = $1 AND step = 60"
    assert await pool.fetchval(counted, project.id) == 2
    assert "cannot be counted" not in caplog.text


async def test_a_process_that_ends_begins_with_no_further_project(
    resources: Resources, pool: asyncpg.Pool, project: Project
) -> None:
    await store(pool, project.id, [an_event(1)])
    resources.draining = True
    await create(resources).handle(TICK)
    assert not await pool.fetchval("SELECT count(*) FROM traffic WHERE project_id = $1", project.id)


async def test_ticks_index_a_day_that_is_over(
    resources: Resources, pool: asyncpg.Pool, project: Project
) -> None:
    day = datetime.now(UTC) - timedelta(days=1, minutes=30)
    await store(pool, project.id, [an_event(1)], at=day)
    # However many days other tests have left: the newest comes first.
    handler = create(resources)
    for _ in range(4):
        await handler.handle(TICK)
    names = {row[0] for row in await pool.fetch("SELECT relname FROM pg_class WHERE relkind = 'i'")}
    over = datetime.now(UTC) - timedelta(days=1, minutes=10)
    assert {f"events_p{over:%Y%m%d}_by_{kind}" for kind in ("subject", "id", "source", "extensions")} <= names
    today = datetime.now(UTC) - timedelta(minutes=10)
    assert f"events_p{today:%Y%m%d}_by_id" not in names
