"""The SQL of what has to do with an event. Each statement has the project, and a range of keys or keys alone."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore.search import Search
from shared.auth.names import name_of

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_NAMES = "uid, id, type, source, subject"

# Through the view: behind row-level security no index serves an operator of `jsonb` (migration 0014).
_LINKED = f"""
    SELECT {_NAMES} FROM own_events
    WHERE project_id = $1 AND uid >= $3 AND uid < $4
      AND extensions ? '{{extension}}' AND {{indexed}} = {{wanted}} AND {{exact}} ORDER BY uid LIMIT $5
"""


def _text(extension: str) -> str:
    value = f"extensions ->> '{extension}'"
    return _LINKED.format(
        extension=extension, indexed=f"left({value}, 255)", wanted="left($2, 255)", exact=f"{value} = $2"
    )


EFFECTS = _text("causationid")
CORRELATED = _text("correlationid")
TRACED = _LINKED.format(
    extension="traceparent",
    indexed="substr(extensions ->> 'traceparent', 4, 32)",
    wanted="$2",
    exact="true",
)


async def linked(
    conn: "Connection", statement: str, search: Search, value: str, limit: int
) -> "list[Record]":
    """The events in the range of `search` that `statement` finds by `value`, the oldest first."""
    return list(await conn.fetch(statement, search.project_id, value, search.low, search.high, limit))


CAUSE = f"""
    SELECT {_NAMES} FROM (
        SELECT {_NAMES} FROM events WHERE project_id = $1 AND uid >= $2 AND uid < $3
        ORDER BY uid DESC LIMIT $5
    ) before WHERE id = $4 ORDER BY uid DESC LIMIT 1
"""


async def cause(conn: "Connection", search: Search, event_id: str, most: int) -> "Record | None":
    """The newest event of that range with that id, among the newest `most`: a cause is near to its effect."""
    return await conn.fetchrow(CAUSE, search.project_id, search.low, search.high, event_id, most)


async def named(conn: "Connection", project_id: UUID, uids: Sequence[UUID]) -> "list[Record]":
    """These events, the oldest first."""
    return list(
        await conn.fetch(
            f"SELECT {_NAMES} FROM events WHERE project_id = $1 AND uid = ANY($2::uuid[]) ORDER BY uid",
            project_id,
            uids,
        )
    )


async def intake(conn: "Connection", project_id: UUID, uid: UUID) -> "Record":
    """What was noted while the event was taken in."""
    row = await conn.fetchrow(
        "SELECT schema_version, taken_us, commit_events FROM events WHERE project_id = $1 AND uid = $2",
        project_id,
        uid,
    )
    assert row is not None
    return row


async def last_of_type(conn: "Connection", search: Search, type_: str) -> UUID | None:
    """The newest event of the range with that type."""
    found: UUID | None = await conn.fetchval(
        """
        SELECT uid FROM own_events
        WHERE project_id = $1 AND uid >= $2 AND uid < $3 AND left(type, 255) = left($4, 255) AND type = $4
        ORDER BY uid DESC LIMIT 1
        """,
        search.project_id,
        search.low,
        search.high,
        type_,
    )
    return found


async def neighbours(conn: "Connection", search: Search, uid: UUID) -> "Record":
    """The events next to `uid` in the range, `newer` and `older`."""
    row = await conn.fetchrow(
        """
        SELECT
            (SELECT uid FROM events WHERE project_id = $1 AND uid > $2 AND uid < $3 ORDER BY uid LIMIT 1) AS newer,
            (SELECT uid FROM events WHERE project_id = $1 AND uid < $2 AND uid >= $4 ORDER BY uid DESC LIMIT 1)
                AS older
        """,
        search.project_id,
        uid,
        search.high,
        search.low,
    )
    assert row is not None
    return row


async def replays(conn: "Connection", project_id: UUID, ids: Sequence[UUID]) -> "list[Record]":
    """These replays, the oldest first, with the names of those who started them."""
    return list(
        await conn.fetch(
            f"""
            SELECT r.id, r.kind, r.state, r.reason, r.created_at,
                {name_of("r.created_by", gone="split_part(r.created_by, ':', 1)")} AS created_by
            FROM replays r WHERE r.project_id = $1 AND r.id = ANY($2::uuid[]) ORDER BY r.id
            """,
            project_id,
            ids,
        )
    )


async def key(conn: "Connection", project_id: UUID, key_id: str) -> "Record | None":
    """An API key's name, whose producer it is, and whether it was revoked."""
    return await conn.fetchrow(
        """
        SELECT k.name, k.revoked_at, p.name AS producer
        FROM api_keys k LEFT JOIN producers p ON p.id = k.producer_id
        WHERE k.project_id = $1 AND k.id = $2
        """,
        project_id,
        key_id,
    )


async def person(conn: "Connection", user_id: UUID) -> str | None:
    """What a member is called."""
    name: str | None = await conn.fetchval(
        "SELECT coalesce(nullif(name, ''), email) FROM users WHERE id = $1", user_id
    )
    return name
