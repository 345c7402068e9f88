"""The SQL of a project's retention."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def retention_of(on: "Connection | Pool", project_id: UUID) -> "Record | None":
    """For how long a project keeps its events, and the first of them: `first_uid`, `first_day`."""
    return await on.fetchrow(
        """
        SELECT retention_days, archive_days,
            (SELECT uid FROM events WHERE project_id = $1 ORDER BY uid LIMIT 1) AS first_uid,
            (SELECT min(day) FROM archives WHERE project_id = $1 AND sealed_at IS NOT NULL) AS first_day
        FROM projects WHERE id = $1
        """,
        project_id,
    )


async def waits_of(on: "Connection | Pool", project_id: UUID) -> "list[Record]":
    """What is over and still there, and why."""
    rows: list[Record] = await on.fetch(
        "SELECT reason, days, oldest, since FROM retention_waits WHERE project_id = $1 ORDER BY oldest, reason",
        project_id,
    )
    return rows


async def lock(on: "Connection", project_id: UUID) -> "Record | None":
    """The same without the first of them, and the project's name; nobody else changes it until the transaction ends."""
    return await on.fetchrow(
        "SELECT name, retention_days, archive_days FROM projects WHERE id = $1 FOR UPDATE", project_id
    )


async def replace(
    on: "Connection", project_id: UUID, *, retention_days: int | None, archive_days: int | None
) -> None:
    """Say for how long."""
    await on.execute(
        "UPDATE projects SET retention_days = $2, archive_days = $3 WHERE id = $1",
        project_id,
        retention_days,
        archive_days,
    )
