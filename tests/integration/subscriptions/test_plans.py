"""Changing a subscription's state looks at what waits for it, not at all that was ever delivered."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from functions.subscriptions import queries
from shared.core.ids import delivery_id
from tests.support.plans import plan
from tests.support.projects import Project
from tests.support.stream import NOBODYS, an_event, store

MONTH = "202606"
Query = Callable[[Any, UUID, UUID], Awaitable[object]]


@pytest.mark.parametrize("query", [queries.hold_waiting, queries.release_held, queries.cancel_waiting])
async def test_only_what_waits_is_read(pool: asyncpg.Pool, project: Project, query: Query) -> None:
    subscription = uuid4()
    uids = await store(
        pool, project.id, [an_event(n) for n in range(1000)], at=datetime(2026, 6, 1, 10, tzinfo=UTC)
    )
    await pool.executemany(
        """
        INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
            held, order_key, position)
        VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9)
        """,
        [
            (
                delivery_id(uid, subscription),
                project.id,
                uid,
                subscription,
                NOBODYS,
                "delivered" if n % 100 else "pending",
                query is queries.release_held and n % 100 == 0,
                "key",
                n,
            )
            for n, uid in enumerate(uids)
        ],
    )
    await pool.execute("ANALYZE deliveries")
    asked: list[tuple[str, tuple[Any, ...]]] = []
    async with pool.acquire() as connection:
        connection.add_query_logger(lambda record: asked.append((record.query, record.args)))
        transaction = connection.transaction()
        await transaction.start()
        await query(connection, project.id, subscription)
        await transaction.rollback()
    ((statement, values),) = [entry for entry in asked if "UPDATE deliveries" in entry[0]]
    found = await plan(pool, statement, *values, generic=True)
    assert not found.sequential(MONTH)
    # Ten wait; a bitmap of them is looked at once to find and once to change each.
    assert found.rows(f"deliveries_p{MONTH}") <= 40
