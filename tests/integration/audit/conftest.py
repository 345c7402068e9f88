"""Records made by hand, for tests of what becomes of them."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.audit.by import By
from shared.audit.record import record

Keep = Callable[..., Awaitable[None]]


@pytest.fixture
def by() -> By:
    return By("key", "abcdefghijkl", "key", name="ci", agent="curl/8", address="198.51.100.7")


@pytest.fixture
def keep(pool: asyncpg.Pool, by: By) -> Keep:
    async def keep(project_id: UUID | None, action: str = "producer.changed", **about: Any) -> None:
        about = {"id": uuid4(), "name": "shop", **about}
        async with pool.acquire() as connection, connection.transaction():
            await record(connection, about.pop("by", by), action, project_id=project_id, **about)

    return keep


@pytest.fixture
def rows(pool: asyncpg.Pool) -> Callable[[UUID], Awaitable[list[asyncpg.Record]]]:
    async def rows(chain: UUID) -> list[asyncpg.Record]:
        return await pool.fetch("SELECT * FROM audit WHERE chain = $1 ORDER BY sequence", chain)

    return rows
