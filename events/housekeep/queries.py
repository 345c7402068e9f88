"""The statements of housekeeping."""

from datetime import date

import asyncpg


async def ensure_partitions(connection: asyncpg.Connection | asyncpg.Pool, first: date, last: date) -> int:
    """Make the partitions of these days (UTC) that are not there; how many were made."""
    made: int = await connection.fetchval("SELECT ensure_partitions($1, $2)", first, last, timeout=30)
    return made


async def summarize_events(pool: asyncpg.Pool, since: date) -> None:
    """Add what came since the last time to the index of the days from `since` on."""
    await pool.fetchval("SELECT summarize_events($1)", since, timeout=60)


async def index_day(pool: asyncpg.Pool, before: date) -> int:
    """Make an index of the newest day before that one which lacks it: 1, or 0 where none does."""
    made: int = await pool.fetchval("SELECT index_days($1, 1)", before, timeout=240)
    return made
