"""The SQL of erasures."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

TIMEOUT_SECONDS = 30

# What dispatch has not read has no deliveries yet: it is waited for.
OF_SUBJECT = """
SELECT e.uid, e.type, e.source,
    coalesce((e.xid, e.uid) > (s.cursor_xid, s.cursor_uid), false) AS unread
FROM events e LEFT JOIN shards s ON s.shard = e.shard
WHERE e.project_id = $1 AND e.subject = $2 AND e.uid >= $3 AND e.uid < $4 AND e.uid > $5
ORDER BY e.uid LIMIT $6
"""

SEALED = """
SELECT a.day, a.manifest_sha256, d.holds_sha256 AS looked, coalesce(d.held, 0) AS held
FROM archives a
LEFT JOIN erasure_days d ON d.erasure_id = $3 AND d.day = a.day AND d.manifest_sha256 = a.manifest_sha256
WHERE a.project_id = $1 AND a.day <= ($2::timestamptz AT TIME ZONE 'UTC')::date AND a.sealed_at IS NOT NULL
ORDER BY a.day
"""

NOTE_LOOK = """
INSERT INTO erasure_days (erasure_id, day, project_id, manifest_sha256, holds_sha256, held)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (erasure_id, day) DO UPDATE SET
    manifest_sha256 = excluded.manifest_sha256, holds_sha256 = excluded.holds_sha256, held = excluded.held
"""


async def erasures(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """What is to be forgotten; those that a hold kept from it are looked at again."""
    return list(
        await connection.fetch(
            "SELECT * FROM erasures WHERE state <> 'done' ORDER BY created_at", timeout=TIMEOUT_SECONDS
        )
    )


async def of_subject(
    connection: asyncpg.Connection,
    project_id: UUID,
    subject: str,
    *,
    low: UUID,
    high: UUID,
    after: UUID,
    limit: int,
) -> list[asyncpg.Record]:
    """The events of a subject in the range after `after`: `uid`, `type`, `source`, whether `unread`."""
    return list(
        await connection.fetch(
            OF_SUBJECT, project_id, subject, low, high, after, limit, timeout=2 * TIMEOUT_SECONDS
        )
    )


async def unsealed_days(connection: asyncpg.Connection, project_id: UUID) -> list[date]:
    """Days of a project that are being archived."""
    rows = await connection.fetch(
        "SELECT day FROM archives WHERE project_id = $1 AND sealed_at IS NULL",
        project_id,
        timeout=TIMEOUT_SECONDS,
    )
    return [row["day"] for row in rows]


async def remove_events(connection: asyncpg.Connection, erasure: asyncpg.Record, uids: Sequence[UUID]) -> int:
    """Remove these events of an erasure with all that became of them, and count them for it; how many there were."""
    async with connection.transaction():
        removed: int = await connection.fetchval(
            "SELECT remove_events($1, $2)", erasure["project_id"], uids, timeout=TIMEOUT_SECONDS
        )
        await connection.execute(
            "UPDATE erasures SET events = events + $2 WHERE id = $1",
            erasure["id"],
            removed,
            timeout=TIMEOUT_SECONDS,
        )
    return removed


async def add_archived(connection: asyncpg.Connection, erasure_id: UUID, events: int) -> None:
    """Count for an erasure what has left the archive."""
    await connection.execute(
        "UPDATE erasures SET archived_events = archived_events + $2 WHERE id = $1",
        erasure_id,
        events,
        timeout=TIMEOUT_SECONDS,
    )


async def sealed(connection: asyncpg.Connection, erasure: asyncpg.Record) -> list[asyncpg.Record]:
    """The archived days that an erasure is about, oldest first, with how they were looked through (`looked`, `held`).

    `looked` is null for those that were not, or that are others since.
    """
    return list(
        await connection.fetch(
            SEALED,
            erasure["project_id"],
            erasure["created_at"],
            erasure["id"],
            timeout=TIMEOUT_SECONDS,
        )
    )


async def note_look(
    connection: asyncpg.Connection,
    erasure: asyncpg.Record,
    day: date,
    *,
    manifest_sha256: bytes,
    holds_sha256: bytes,
    held: int,
) -> None:
    """Note that a day has nothing more to be erased."""
    async with connection.transaction():
        await connection.execute(
            NOTE_LOOK,
            erasure["id"],
            day,
            erasure["project_id"],
            manifest_sha256,
            holds_sha256,
            held,
            timeout=TIMEOUT_SECONDS,
        )
        await connection.execute(
            "UPDATE erasures SET day = $2 WHERE id = $1", erasure["id"], day, timeout=TIMEOUT_SECONDS
        )


async def note_state(connection: asyncpg.Connection, erasure_id: UUID, state: str, held: int) -> None:
    """Say how an erasure is that is not done."""
    await connection.execute(
        "UPDATE erasures SET state = $2, held = $3 WHERE id = $1",
        erasure_id,
        state,
        held,
        timeout=TIMEOUT_SECONDS,
    )


async def end(connection: asyncpg.Connection, erasure_id: UUID, kept_in: Sequence[str]) -> asyncpg.Record:
    """Have an erasure be done, which forgets its subject too; what it has come to."""
    await connection.execute(
        "DELETE FROM erasure_days WHERE erasure_id = $1", erasure_id, timeout=TIMEOUT_SECONDS
    )
    return await connection.fetchrow(
        """
        UPDATE erasures SET state = 'done', subject = NULL, held = 0, kept_in = $2, ended_at = now()
        WHERE id = $1 RETURNING events, archived_events
        """,
        erasure_id,
        kept_in,
        timeout=TIMEOUT_SECONDS,
    )


async def naming(
    connection: asyncpg.Connection, table: str, columns: Sequence[str], project_id: UUID, where: str = "true"
) -> list[asyncpg.Record]:
    """The rows of a project in one of the tables of `traces`: `ctid`, and the columns that may name a subject."""
    return list(
        await connection.fetch(
            f"SELECT ctid::text, {', '.join(columns)} FROM {table} WHERE project_id = $1 AND {where}"  # noqa: S608 constants of this folder
            " FOR UPDATE",
            project_id,
            timeout=TIMEOUT_SECONDS,
        )
    )


async def rewrite(
    connection: asyncpg.Connection, table: str, project_id: UUID, ctid: str, values: dict[str, Any]
) -> None:
    """Give a row of `naming`, which is locked, other values."""
    places = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 3))
    await connection.execute(
        f"UPDATE {table} SET {places} WHERE project_id = $1 AND ctid = $2::text::tid",  # noqa: S608 constants of this folder
        project_id,
        ctid,
        *values.values(),
        timeout=TIMEOUT_SECONDS,
    )
