"""The first of an order becomes due only as it is, not as it was when it was looked for."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.dispatch.queries import backlog
from shared.core.ids import delivery_id
from tests.support.projects import Project
from tests.support.stream import NOBODYS, an_event, store
from tests.support.waiting import until


@pytest.fixture
async def first(pool: asyncpg.Pool, project: Project) -> tuple[UUID, UUID]:
    """The subscription, and the delivery that is the first of the order `k`."""
    subscription = uuid4()
    (uid,) = await store(pool, project.id, [an_event()])
    await pool.execute(
        """
        INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
            order_key, position)
        VALUES ($1, $2, $3, $4, 1, $5, 'pending', 'k', 1)
        """,
        delivery_id(uid, subscription),
        project.id,
        uid,
        subscription,
        NOBODYS,
    )
    return subscription, delivery_id(uid, subscription)


@pytest.mark.parametrize("change", ["status = 'cancelled', ended_at = now()", "held = true"])
async def test_what_is_ended_or_held_meanwhile_does_not_become_due(
    pool: asyncpg.Pool, first: tuple[UUID, UUID], change: str
) -> None:
    subscription, delivery = first
    async with pool.acquire() as other, pool.acquire() as connection:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        async with other.transaction():
            await other.execute(f"UPDATE deliveries SET {change} WHERE id = $1", delivery)
            promoting = asyncio.ensure_future(backlog.promote(connection, [(subscription, "k")]))

            async def waits() -> bool:
                return bool(await pool.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", backend))

            await until(waits)
        await promoting
    assert await pool.fetchval("SELECT next_attempt_at FROM deliveries WHERE id = $1", delivery) is None
