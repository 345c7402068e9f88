"""Waiting for what nobody tells."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long a test waits for what has to come: far longer than it takes on the slowest machine, for nobody waits for it."""


async def waits_for_lock(pool: asyncpg.Pool | asyncpg.Connection, words: str = "") -> bool:
    """Whether a statement with these words waits for a lock in this database: the server is the other workers' as well."""
    return bool(
        await pool.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND position($1 in query) > 0)",
            words,
        )
    )


async def until(condition: Callable[[], Awaitable[T]], seconds: float = PATIENCE_SECONDS) -> T:
    """The first true answer of `condition`, which is asked again and again. Raises TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not (answer := await condition()):  # noqa: ASYNC110 Postgres tells nobody
            await asyncio.sleep(0.02)
        return answer
