"""The statements of housekeeping."""

from datetime import date

import asyncpg


async def ensure_partitions(connection: asyncpg.Connection | asyncpg.Pool, first: date, last: date) -> int:
    """Make the partitions of these days (UTC) that are not there; how many were made."""
    made: int = await connection.fetchval("SELECT ensure_partitions($1, $2)", first, last, timeout=30)
    return made
