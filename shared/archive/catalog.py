"""What the database knows of the archive: its days and their objects."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from shared.archive.parts import Part

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_PART = "number, key, events, packed_bytes, raw_bytes, sha256, index_at, first_uid, last_uid"


async def parts_of_day(on: "Connection | Pool", project_id: UUID, day: date) -> list[Part]:
    """The objects of a day, oldest events first; of one that is not sealed those that are there so far."""
    rows = await on.fetch(
        f"SELECT {_PART} FROM archive_parts WHERE project_id = $1 AND day = $2 ORDER BY number",
        project_id,
        day,
    )
    return [_part(row) for row in rows]


async def parts_between(
    on: "Connection | Pool", project_id: UUID, low: UUID, high: UUID, *, limit: int
) -> list[Part]:
    """The objects of sealed days with events from `low` to below `high`, newest first."""
    rows = await on.fetch(
        f"""
        SELECT {_PART} FROM archive_parts p JOIN archives a USING (project_id, day)
        WHERE project_id = $1 AND p.first_uid < $3 AND p.last_uid >= $2 AND a.sealed_at IS NOT NULL
        ORDER BY day DESC, number DESC LIMIT $4
        """.replace(_PART, ", ".join(f"p.{name}" for name in _PART.split(", "))),
        project_id,
        low,
        high,
        limit,
    )
    return [_part(row) for row in rows]


async def day(on: "Connection | Pool", project_id: UUID, day: date) -> "Record | None":
    """One day of the archive."""
    return await on.fetchrow(
        """
        SELECT day, run, events, packed_bytes, raw_bytes, manifest_sha256, started_at, sealed_at, removed_at
        FROM archives WHERE project_id = $1 AND day = $2
        """,
        project_id,
        day,
    )


async def add_part(connection: "Connection", project_id: UUID, day: date, part: Part) -> None:
    """Note an object that is there."""
    await connection.execute(
        f"""
        INSERT INTO archive_parts (project_id, day, {_PART})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """,
        project_id,
        day,
        part.number,
        part.key,
        part.events,
        part.packed_bytes,
        part.raw_bytes,
        part.sha256,
        part.index_at,
        part.first_uid,
        part.last_uid,
    )


async def replace_parts(
    connection: "Connection", project_id: UUID, day: date, parts: Sequence[Part], manifest_sha256: bytes
) -> None:
    """Have a sealed day consist of other objects from here on."""
    await connection.execute("DELETE FROM archive_parts WHERE project_id = $1 AND day = $2", project_id, day)
    for part in parts:
        await add_part(connection, project_id, day, part)
    await connection.execute(
        """
        UPDATE archives SET events = $3, packed_bytes = $4, raw_bytes = $5, manifest_sha256 = $6
        WHERE project_id = $1 AND day = $2
        """,
        project_id,
        day,
        sum(part.events for part in parts),
        sum(part.packed_bytes for part in parts),
        sum(part.raw_bytes for part in parts),
        manifest_sha256,
    )


def _part(row: "Record") -> Part:
    return Part(*row)
