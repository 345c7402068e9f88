"""The SQL of the archive's days."""

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def days(
    on: "Connection | Pool",
    project_id: UUID,
    *,
    since: date | None,
    until: date | None,
    before: date | None,
    limit: int,
) -> "list[Record]":
    """The days of a project that are whole in the archive, newest first."""
    rows: list[Record] = await on.fetch(
        """
        SELECT day, events, packed_bytes, raw_bytes, sealed_at, removed_at FROM archives
        WHERE project_id = $1 AND sealed_at IS NOT NULL
          AND ($2::date IS NULL OR day >= $2) AND ($3::date IS NULL OR day <= $3)
          AND ($4::date IS NULL OR day < $4)
        ORDER BY day DESC LIMIT $5
        """,
        project_id,
        since,
        until,
        before,
        limit,
    )
    return rows
