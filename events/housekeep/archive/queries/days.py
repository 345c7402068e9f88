"""The SQL of retention and recalls. It crosses projects, and goes day by day: one partition each."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from shared.archive.holding import COLUMNS

TIMEOUT_SECONDS = 30

DAYS = r"SELECT right(relname, 8) AS day FROM pg_class WHERE relkind = 'r' AND relname ~ '^events_p\d{8}$' ORDER BY 1"

# A loose scan of the index by project: one probe for each.
PROJECTS_IN = """
WITH RECURSIVE found AS (
    (SELECT project_id FROM events WHERE uid >= $1 AND uid < $2 ORDER BY project_id LIMIT 1)
    UNION ALL
    SELECT n.project_id FROM found f CROSS JOIN LATERAL (
        SELECT project_id FROM events
        WHERE project_id > f.project_id AND uid >= $1 AND uid < $2 ORDER BY project_id LIMIT 1
    ) n
)
SELECT project_id FROM found
"""

UNREAD = """
SELECT EXISTS (
    SELECT FROM shards s WHERE EXISTS (
        SELECT FROM events e
        WHERE e.shard = s.shard AND (e.xid, e.uid) > (s.cursor_xid, s.cursor_uid) AND e.uid >= $1 AND e.uid < $2
    )
)
"""

# Each status stands by itself: so the index by project and status serves it.
OPEN = """
SELECT EXISTS (
    SELECT FROM deliveries WHERE project_id = $1 AND status = 'pending' AND id >= $2 AND id < $3
) OR EXISTS (
    SELECT FROM deliveries WHERE project_id = $1 AND status = 'retrying' AND id >= $2 AND id < $3
) OR EXISTS (
    SELECT FROM deliveries WHERE project_id = $1 AND status = 'dead' AND id >= $2 AND id < $3
      AND next_attempt_at IS NOT NULL
)
"""

ROWS = """
SELECT uid, data_kind, id, source, type, specversion, subject, time, datacontenttype, dataschema, extensions, data,
    producer, facets, schema_fault
FROM (
    SELECT *, sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid) - coalesce(octet_length(data), 0) AS before
    FROM (
        SELECT * FROM events WHERE project_id = $1 AND uid > $2 AND uid < $3 ORDER BY uid LIMIT $4
    ) next
) page
WHERE before < $5 ORDER BY uid
"""

DELIVERIES = """
SELECT d.event_uid, d.id, d.subscription_id, v.name, d.status, d.attempt_count, d.last_status_code, d.last_error,
    d.ended_at
FROM deliveries d
LEFT JOIN subscription_versions v ON v.subscription_id = d.subscription_id AND v.version = d.subscription_version
WHERE d.project_id = $1 AND d.id >= $2 AND d.id < $3 AND d.event_uid = ANY($4::uuid[])
ORDER BY d.event_uid, d.id
"""

REMOVE = """
SELECT coalesce(remove_events($1, array_agg(uid)), 0) FROM (
    SELECT uid FROM events e WHERE project_id = $1 AND uid >= $2 AND uid < $3 AND NOT EXISTS (
        SELECT FROM deliveries d WHERE d.project_id = $1 AND d.id >= $2 AND d.id < $3 AND d.event_uid = e.uid
          AND (d.status IN ('pending', 'retrying') OR (d.status = 'dead' AND d.next_attempt_at IS NOT NULL))
    ) LIMIT $4
) few
"""

# A look that did not come to its end knows of no more than it saw.
NOTE_WAITS = """
INSERT INTO retention_waits (project_id, reason, days, oldest)
SELECT n.* FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::date[]) AS n (project_id, reason, days, oldest)
WHERE EXISTS (SELECT FROM projects p WHERE p.id = n.project_id)
ON CONFLICT (project_id, reason) DO UPDATE SET
    days = CASE WHEN $5 THEN excluded.days ELSE greatest(excluded.days, retention_waits.days) END,
    oldest = CASE WHEN $5 THEN excluded.oldest ELSE least(excluded.oldest, retention_waits.oldest) END
"""


async def days(connection: asyncpg.Connection) -> list[date]:
    """The days that have a partition, oldest first."""
    rows = await connection.fetch(DAYS, timeout=TIMEOUT_SECONDS)
    return [date(int(r["day"][:4]), int(r["day"][4:6]), int(r["day"][6:])) for r in rows]


async def keepings(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Each project: `id`, `name`, `retention_days`, `archive_days`."""
    return list(
        await connection.fetch(
            "SELECT id, name, retention_days, archive_days FROM projects", timeout=TIMEOUT_SECONDS
        )
    )


async def holds(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The holds that are not lifted."""
    return list(
        await connection.fetch(
            f"SELECT {COLUMNS} FROM holds WHERE lifted_at IS NULL",  # noqa: S608 a constant
            timeout=TIMEOUT_SECONDS,
        )
    )


async def running_recalls(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The recalls that are not done, in the order in which they were asked for."""
    return list(
        await connection.fetch(
            "SELECT * FROM recalls WHERE state = 'running' ORDER BY created_at, id", timeout=TIMEOUT_SECONDS
        )
    )


async def recalls(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The recalls whose events are to be in the database now."""
    return list(
        await connection.fetch(
            """
            SELECT project_id, type, source, subject, since, until FROM recalls
            WHERE state IN ('running', 'done') AND keep_until > now()
            """,
            timeout=TIMEOUT_SECONDS,
        )
    )


async def projects_in(connection: asyncpg.Connection, low: UUID, high: UUID) -> list[UUID]:
    """The projects that have events in the range."""
    rows = await connection.fetch(PROJECTS_IN, low, high, timeout=TIMEOUT_SECONDS)
    return [row["project_id"] for row in rows]


async def has_unread(connection: asyncpg.Connection, low: UUID, high: UUID) -> bool:
    """Whether dispatch has not read all events of the range."""
    found: bool = await connection.fetchval(UNREAD, low, high, timeout=TIMEOUT_SECONDS)
    return found


async def has_open(connection: asyncpg.Connection, project_id: UUID, low: UUID, high: UUID) -> bool:
    """Whether a delivery of the range is still under way."""
    found: bool = await connection.fetchval(OPEN, project_id, low, high, timeout=TIMEOUT_SECONDS)
    return found


async def rows(
    connection: asyncpg.Connection, project_id: UUID, after: UUID, high: UUID, *, limit: int, byte_limit: int
) -> list[asyncpg.Record]:
    """The next events of a project after `after` and below `high`, in the order of their uids."""
    return list(
        await connection.fetch(ROWS, project_id, after, high, limit, byte_limit, timeout=TIMEOUT_SECONDS)
    )


async def deliveries(
    connection: asyncpg.Connection, project_id: UUID, low: UUID, high: UUID, uids: Sequence[UUID]
) -> list[asyncpg.Record]:
    """What became of these events, whose deliveries have ids in the range."""
    return list(await connection.fetch(DELIVERIES, project_id, low, high, uids, timeout=TIMEOUT_SECONDS))


async def count(connection: asyncpg.Connection, project_id: UUID, low: UUID, high: UUID) -> int:
    """How many events a project has in the range."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM events WHERE project_id = $1 AND uid >= $2 AND uid < $3",
        project_id,
        low,
        high,
        timeout=TIMEOUT_SECONDS,
    )
    return found


async def start(connection: asyncpg.Connection, project_id: UUID, day: date, run: str) -> None:
    """Begin a day of the archive, again where it was begun."""
    await connection.execute(
        "DELETE FROM archives WHERE project_id = $1 AND day = $2 AND sealed_at IS NULL",
        project_id,
        day,
        timeout=TIMEOUT_SECONDS,
    )
    await connection.execute(
        "INSERT INTO archives (project_id, day, run) VALUES ($1, $2, $3)",
        project_id,
        day,
        run,
        timeout=TIMEOUT_SECONDS,
    )


async def seal(connection: asyncpg.Connection, project_id: UUID, day: date, at: datetime) -> None:
    """Say that a day is whole in the archive."""
    await connection.execute(
        "UPDATE archives SET sealed_at = $3 WHERE project_id = $1 AND day = $2",
        project_id,
        day,
        at,
        timeout=TIMEOUT_SECONDS,
    )


async def remove(
    connection: asyncpg.Connection, project_id: UUID, low: UUID, high: UUID, *, limit: int
) -> int:
    """Remove some events of a project, with their deliveries; how many there were. Those under way stay."""
    removed: int = await connection.fetchval(REMOVE, project_id, low, high, limit, timeout=TIMEOUT_SECONDS)
    return removed


async def drop_day(connection: asyncpg.Connection, day: date) -> bool:
    """Drop the partitions of a day; False where something of it is under way after all.

    Raises asyncpg.LockNotAvailableError when others have it in use.
    """
    dropped: bool = await connection.fetchval("SELECT drop_day($1)", day, timeout=TIMEOUT_SECONDS)
    return dropped


async def note_removed(connection: asyncpg.Connection, day: date, project_id: UUID | None = None) -> None:
    """Note that the rows of an archived day have left the database: a project's, or everybody's."""
    await connection.execute(
        """
        UPDATE archives SET removed_at = now()
        WHERE day = $1 AND ($2::uuid IS NULL OR project_id = $2) AND sealed_at IS NOT NULL AND removed_at IS NULL
        """,
        day,
        project_id,
        timeout=TIMEOUT_SECONDS,
    )


async def sealed_before(connection: asyncpg.Connection, project_id: UUID, day: date) -> list[date]:
    """The archived days of a project before `day`, oldest first."""
    rows = await connection.fetch(
        "SELECT day FROM archives WHERE project_id = $1 AND day < $2 AND sealed_at IS NOT NULL ORDER BY day",
        project_id,
        day,
        timeout=TIMEOUT_SECONDS,
    )
    return [row["day"] for row in rows]


async def forget_day(connection: asyncpg.Connection, project_id: UUID, day: date) -> None:
    """Forget a day of the archive, whose objects are gone."""
    await connection.execute(
        "DELETE FROM archives WHERE project_id = $1 AND day = $2", project_id, day, timeout=TIMEOUT_SECONDS
    )


async def note_waits(
    connection: asyncpg.Connection, waits: Mapping[tuple[UUID, str], tuple[int, date]], *, whole: bool
) -> None:
    """Say what waits: of each project and reason how many days, and the oldest. Not `whole`: there may be more."""
    rows = [(project_id, reason, days, oldest) for (project_id, reason), (days, oldest) in waits.items()]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    async with connection.transaction():
        if whole:
            await connection.execute(
                """
                DELETE FROM retention_waits WHERE (project_id, reason) NOT IN (
                    SELECT * FROM unnest($1::uuid[], $2::text[]))
                """,
                *columns[:2],
                timeout=TIMEOUT_SECONDS,
            )
        await connection.execute(NOTE_WAITS, *columns, whole, timeout=TIMEOUT_SECONDS)
