"""The SQL of erasures."""

# ruff: noqa: S608 statements are put together from constants of this function alone

from typing import TYPE_CHECKING
from uuid import UUID

from shared.auth.names import name_of

if TYPE_CHECKING:
    from datetime import date

    from asyncpg import Connection, Pool, Record

_DAYS = """WHERE a.project_id = e.project_id AND a.sealed_at IS NOT NULL
    AND a.day <= (e.created_at AT TIME ZONE 'UTC')::date"""

_ERASURE = f"""
    SELECT e.id, e.subject, encode(e.subject_digest, 'hex') AS digest, e.reason, e.state, e.events, e.archived_events,
        e.held, e.kept_in, {name_of("e.created_by")} AS created_by, e.created_at, e.ended_at, true AS is_exact,
        (SELECT count(*) FROM archives a {_DAYS} AND e.state <> 'done') AS days,
        (SELECT count(*) FROM archives a JOIN erasure_days d USING (project_id, day, manifest_sha256) {_DAYS}
            AND d.erasure_id = e.id) AS days_looked
    FROM erasures e
"""


async def erasures(
    on: "Connection | Pool", project_id: UUID, *, digest: bytes | None, before: UUID | None, limit: int
) -> "list[Record]":
    """A project's erasures, newest first."""
    rows: list[Record] = await on.fetch(
        f"""
        {_ERASURE}
        WHERE e.project_id = $1 AND ($2::bytea IS NULL OR e.subject_digest = $2)
          AND ($3::uuid IS NULL OR e.id < $3)
        ORDER BY e.id DESC LIMIT $4
        """,
        project_id,
        digest,
        before,
        limit,
    )
    return rows


async def erasure(on: "Connection | Pool", project_id: UUID, erasure_id: UUID) -> "Record | None":
    """One of them."""
    return await on.fetchrow(f"{_ERASURE} WHERE e.project_id = $1 AND e.id = $2", project_id, erasure_id)


async def insert(
    on: "Connection",
    project_id: UUID,
    erasure_id: UUID,
    *,
    subject: str,
    digest: bytes,
    reason: str,
    by: str,
) -> None:
    """Ask for one."""
    await on.execute(
        """
        INSERT INTO erasures (id, project_id, subject, subject_digest, reason, created_by)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        erasure_id,
        project_id,
        subject,
        digest,
        reason,
        by,
    )


async def of_subject(
    on: "Connection | Pool", project_id: UUID, subject: str, *, limit: int
) -> "list[Record]":
    """Some events of a subject in the database: `uid`, `type`, `source`."""
    rows: list[Record] = await on.fetch(
        "SELECT uid, type, source FROM events WHERE project_id = $1 AND subject = $2 LIMIT $3",
        project_id,
        subject,
        limit,
        timeout=30,
    )
    return rows


async def archived_days(on: "Connection | Pool", project_id: UUID) -> "set[date]":
    """The days of a project that are whole in the archive."""
    rows = await on.fetch(
        "SELECT day FROM archives WHERE project_id = $1 AND sealed_at IS NOT NULL", project_id
    )
    return {row["day"] for row in rows}
