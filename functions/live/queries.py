"""The SQL of the tail: the stream in the order of its commits, and how deliveries stand."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from functions.live.position import Position
from shared.core.ids import SHARDS

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

TIMEOUT_SECONDS = 10

# Of each shard come at most $6 rows, whoever's they are: so a statement is bounded, and what follows the last row of a
# shard that has more is left for the next one. Rows past the horizon are left too: an older transaction has not ended.
READ = f"""
SELECT * FROM (
    SELECT e.xid, e.uid, e.project_id, e.project_id = ANY($4::uuid[]) AS wanted,
        e.specversion, e.id, e.source, e.type, e.subject, e.time, e.datacontenttype, e.dataschema, e.producer,
        e.schema_fault, e.data_kind, octet_length(e.data) AS data_size,
        CASE WHEN e.project_id = ANY($4::uuid[]) THEN e.extensions END AS extensions,
        CASE WHEN e.project_id = ANY($4::uuid[]) THEN e.facets END AS facets,
        CASE WHEN e.project_id = ANY($4::uuid[]) THEN e.data END AS data,
        e.found = $6 AS saturated, count(*) OVER () AS total,
        coalesce(bool_or(e.found = $6 AND e.nth = $6) OVER before, false) AS past_end,
        coalesce(sum(octet_length(e.data)) FILTER (WHERE e.project_id = ANY($4::uuid[])) OVER before, 0) AS bytes_before
    FROM (
        SELECT f.*, count(*) OVER (PARTITION BY f.shard) AS found,
            row_number() OVER (PARTITION BY f.shard ORDER BY f.xid, f.uid) AS nth
        FROM generate_series(0, {SHARDS - 1}) AS s (shard)
        CROSS JOIN LATERAL (
            SELECT * FROM events e
            WHERE e.shard = s.shard AND (e.xid, e.uid) > ($1::xid8, $2::uuid) AND e.uid >= $3
              AND e.xid < stream_horizon() AND ($5::xid8 IS NULL OR e.xid <= $5::xid8)
            ORDER BY e.xid, e.uid LIMIT $6
        ) f
    ) e
    WINDOW before AS (ORDER BY e.xid, e.uid ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) read
WHERE NOT past_end AND bytes_before < $7
ORDER BY xid, uid
"""  # noqa: S608 put together from constants

# The first of many by the time of receipt: the transactions of neighbours are mixed there.
FIRST = """
SELECT xid, uid FROM (
    SELECT xid, uid FROM events WHERE project_id = $1 AND uid >= $2 ORDER BY uid LIMIT 1000
) oldest ORDER BY xid, uid LIMIT 1
"""

OUTCOMES = """
SELECT e.uid,
    count(*) FILTER (WHERE d.status = 'delivered') AS delivered,
    count(*) FILTER (WHERE d.status = 'retrying') AS retrying,
    count(*) FILTER (WHERE d.status = 'dead') AS dead,
    count(*) FILTER (WHERE d.status = 'pending') AS pending,
    count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS e (uid, low, high)
CROSS JOIN LATERAL (
    SELECT status FROM deliveries
    WHERE project_id = $1 AND id >= e.low AND id < e.high AND event_uid = e.uid
    OFFSET 0
) d
GROUP BY e.uid
"""


async def read(
    pool: "Pool",
    after: Position,
    projects: Collection[UUID],
    *,
    until: int | None,
    each: int,
    byte_limit: int,
) -> "list[Record]":
    """What follows `after` in the order of commits, up to and with the transaction `until`.

    Rows of other projects come without what is in them: the last row tells how far was read. Where `saturated` rows
    are among them, or fewer than there were for the bytes, there may be more.
    """
    rows: list[Record] = await pool.fetch(
        READ,
        after.xid,
        after.uid,
        after.since,
        list(projects),
        until,
        each,
        byte_limit,
        timeout=TIMEOUT_SECONDS,
    )
    return rows


async def horizon(pool: "Pool") -> int:
    """All transactions below it have ended: what is stored from now on is not in them."""
    found: int = await pool.fetchval("SELECT stream_horizon()", timeout=TIMEOUT_SECONDS)
    return found


async def first_since(conn: "Connection", project_id: UUID, low: UUID) -> Position | None:
    """Where the project's events with keys from `low` on begin; None when there are none."""
    row = await conn.fetchrow(FIRST, project_id, low)
    return None if row is None else Position(row["xid"], row["uid"])


async def outcomes(
    conn: "Connection", project_id: UUID, uids: Sequence[UUID], lows: Sequence[UUID], highs: Sequence[UUID]
) -> "list[Record]":
    """How the deliveries of each of these events stand; an event without any is left out."""
    return list(await conn.fetch(OUTCOMES, project_id, uids, lows, highs))
