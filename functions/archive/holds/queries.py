"""The SQL of legal holds."""

# ruff: noqa: S608 statements are put together from constants of this function alone

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from shared.auth.names import name_of

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_HOLD = f"""
    SELECT h.id, h.name, h.type, h.source, h.subject, h.since, h.until, {name_of("h.created_by")} AS created_by,
        h.created_at, CASE WHEN h.lifted_at IS NOT NULL THEN {name_of("h.lifted_by")} END AS lifted_by, h.lifted_at
    FROM holds h
"""


async def holds(
    on: "Connection | Pool", project_id: UUID, *, before: UUID | None, limit: int
) -> "list[Record]":
    """A project's holds, newest first."""
    rows: list[Record] = await on.fetch(
        f"{_HOLD} WHERE h.project_id = $1 AND ($2::uuid IS NULL OR h.id < $2) ORDER BY h.id DESC LIMIT $3",
        project_id,
        before,
        limit,
    )
    return rows


async def hold(on: "Connection | Pool", project_id: UUID, hold_id: UUID) -> "Record | None":
    """One of them."""
    return await on.fetchrow(f"{_HOLD} WHERE h.project_id = $1 AND h.id = $2", project_id, hold_id)


async def insert(
    on: "Connection",
    project_id: UUID,
    hold_id: UUID,
    *,
    name: str,
    type: str | None,  # noqa: A002 CloudEvents' word
    source: str | None,
    subject: str | None,
    since: datetime | None,
    until: datetime | None,
    by: str,
) -> None:
    """Put one."""
    await on.execute(
        """
        INSERT INTO holds (id, project_id, name, type, source, subject, since, until, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        hold_id,
        project_id,
        name,
        type,
        source,
        subject,
        since,
        until,
        by,
    )


async def lift(on: "Connection", project_id: UUID, hold_id: UUID, by: str) -> bool:
    """Lift one; False where there is none that is not lifted."""
    done: str = await on.execute(
        """
        UPDATE holds SET lifted_at = now(), lifted_by = $3
        WHERE project_id = $1 AND id = $2 AND lifted_at IS NULL
        """,
        project_id,
        hold_id,
        by,
    )
    return done == "UPDATE 1"
