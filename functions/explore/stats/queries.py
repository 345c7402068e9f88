"""The SQL of overview and flow: counts alone, a few rows for each minute or hour, and the names of what they are of."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore.stats.span import EPOCH, Tile

if TYPE_CHECKING:
    from asyncpg import Connection, Record

COUNTED = ("pending", "retrying", "delivered", "dead", "cancelled", "attempts", "failed_attempts")

_SUMS = ", ".join(f"coalesce(sum(c.{column}), 0)::bigint AS {column}" for column in COUNTED)
_TILES = "unnest($2::smallint[], $3::timestamptz[], $4::timestamptz[]) AS t (step, low, high)"
_IN_TILE = "c.project_id = $1 AND c.step = t.step AND c.starts_at >= t.low AND c.starts_at < t.high"


def _over(table: str) -> str:
    """The counts of a table in the tiles: one range of its key for each."""
    return (
        f"{_TILES} CROSS JOIN LATERAL (SELECT * FROM {table} c WHERE {_IN_TILE} OFFSET 0) c"  # one scan each
    )


_AT = "date_bin($5::integer * interval '1 second', c.starts_at, $6) AS at"

POINTS = f"""
SELECT {_AT}, sum(c.events)::bigint AS events, {_SUMS}, max(c.backlog_seconds) AS backlog_seconds
FROM {_over("traffic")} GROUP BY 1 ORDER BY 1
"""

LATENCIES = f"""
SELECT {_AT}, l.class, sum(l.n)::bigint AS n
FROM {_over("traffic")} CROSS JOIN LATERAL unnest(c.latency_classes, c.latency_counts) AS l (class, n)
GROUP BY 1, 2
"""

TOTALS = f"SELECT coalesce(sum(c.events), 0)::bigint AS events, {_SUMS} FROM {_over('traffic')}"

TOTAL_LATENCIES = f"""
SELECT l.class, sum(l.n)::bigint AS n
FROM {_over("traffic")} CROSS JOIN LATERAL unnest(c.latency_classes, c.latency_counts) AS l (class, n)
GROUP BY 1
"""

EVENTS_BY_TYPE = f"""
SELECT c.type, {_AT}, sum(c.events)::bigint AS events FROM {_over("event_counts")} GROUP BY 1, 2
"""

DELIVERIES_BY_TYPE = f"SELECT c.type, {_SUMS} FROM {_over('delivery_counts')} GROUP BY 1"

BY_SUBSCRIPTION = f"""
SELECT c.subscription_id, {_SUMS} FROM {_over("delivery_counts")} GROUP BY 1
"""

FAILED_OVER_TIME = f"""
SELECT {_AT}, sum(c.failed_attempts)::bigint AS failed_attempts
FROM {_TILES} CROSS JOIN LATERAL (
    SELECT * FROM delivery_counts c WHERE {_IN_TILE} AND c.subscription_id = $7 OFFSET 0
) c GROUP BY 1
"""

ANSWERS = f"""
SELECT c.subscription_id, a.class, sum(a.n)::bigint AS n
FROM {_over("delivery_times")} CROSS JOIN LATERAL unnest(c.answer_classes, c.answer_counts) AS a (class, n)
GROUP BY 1, 2
"""

PRODUCED = f"""
SELECT c.producer, c.type, sum(c.events)::bigint AS events FROM {_over("event_counts")} GROUP BY 1, 2
"""

PATHS = f"""
SELECT c.producer, c.type, c.subscription_id, c.subscription_version, {_SUMS}
FROM {_over("delivery_counts")} GROUP BY 1, 2, 3, 4
"""

ONE_SCAN_EACH = (PRODUCED, PATHS, ANSWERS, BY_SUBSCRIPTION, DELIVERIES_BY_TYPE)


def over(project_id: UUID, tiles: Sequence[Tile]) -> list[object]:
    """The parameters that say which counts are read."""
    return [
        project_id,
        [tile.step for tile in tiles],
        [tile.low for tile in tiles],
        [tile.high for tile in tiles],
    ]


def by(step: int) -> list[object]:
    """The parameters that say in which steps they are added up."""
    return [step, EPOCH]


async def rows(conn: "Connection", statement: str, *values: object) -> "list[Record]":
    """The rows of one of the statements above."""
    return list(await conn.fetch(statement, *values))


async def state(conn: "Connection", project_id: UUID) -> "tuple[datetime | None, datetime, int]":
    """Until when the project is counted, what time the database has, and how many minutes are to be counted again.

    Of those no more than 1,000 are looked at.
    """
    row = await conn.fetchrow(
        """
        SELECT now() AS now, (SELECT rolled_at FROM rollups WHERE project_id = $1) AS rolled_at,
            (SELECT count(DISTINCT minute) FROM (
                SELECT minute FROM rollup_marks WHERE project_id = $1 LIMIT 1000
            ) m) AS marked
        """,
        project_id,
    )
    return row["rolled_at"], row["now"], row["marked"]


async def waiting_since(conn: "Connection", project_id: UUID) -> UUID | None:
    """The id of the delivery whose event was received first, of those that wait; None where none does."""
    found: UUID | None = await conn.fetchval(
        """
        SELECT id FROM (
            (SELECT id FROM deliveries WHERE project_id = $1 AND status = 'pending' ORDER BY id LIMIT 1)
            UNION ALL
            (SELECT id FROM deliveries WHERE project_id = $1 AND status = 'retrying' ORDER BY id LIMIT 1)
        ) oldest ORDER BY id LIMIT 1
        """,
        project_id,
    )
    return found


async def subscriptions(conn: "Connection", project_id: UUID, ids: Collection[UUID]) -> "dict[UUID, Record]":
    """What these subscriptions are called, their sinks and states, those that were deleted included."""
    found = await conn.fetch(
        """
        SELECT DISTINCT ON (v.subscription_id) v.subscription_id AS id, v.name, v.sink, v.version,
            coalesce(s.state, 'deleted') AS state
        FROM subscription_versions v LEFT JOIN subscriptions s ON s.id = v.subscription_id
        WHERE v.project_id = $1 AND v.subscription_id = ANY($2)
        ORDER BY v.subscription_id, v.version DESC
        """,
        project_id,
        list(ids),
    )
    return {row["id"]: row for row in found}


async def sinks(
    conn: "Connection", project_id: UUID, versions: Collection[tuple[UUID, int]]
) -> dict[tuple[UUID, int], str]:
    """The sink of each of these versions of subscriptions."""
    ids, numbers = zip(*versions, strict=True) if versions else ((), ())
    found = await conn.fetch(
        """
        SELECT v.subscription_id, v.version, v.sink FROM subscription_versions v
        JOIN unnest($2::uuid[], $3::integer[]) AS n (id, version)
            ON n.id = v.subscription_id AND n.version = v.version
        WHERE v.project_id = $1
        """,
        project_id,
        list(ids),
        list(numbers),
    )
    return {(row["subscription_id"], row["version"]): row["sink"] for row in found}


async def circuits(conn: "Connection", project_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """`open` or `halfOpen` for those of the subscriptions whose sink gets little or nothing for now."""
    found = await conn.fetch(
        """
        SELECT h.subscription_id, bool_or(h.state = 'open') AS open
        FROM sink_health h JOIN subscriptions s ON s.id = h.subscription_id AND s.version = h.subscription_version
        WHERE s.project_id = $1 AND h.subscription_id = ANY($2) AND h.expires_at > now() AND h.state <> 'closed'
        GROUP BY h.subscription_id
        """,
        project_id,
        list(ids),
    )
    return {row["subscription_id"]: "open" if row["open"] else "halfOpen" for row in found}


async def names_of_people_and_keys(
    conn: "Connection", project_id: UUID, ids: Collection[str]
) -> dict[str, str]:
    """What credentials such as `key:ID` and `user:ID` are called, those that are known."""
    found = await conn.fetch(
        """
        SELECT 'key:' || id AS id, name FROM api_keys WHERE project_id = $1 AND 'key:' || id = ANY($2)
        UNION ALL
        SELECT 'user:' || u.id, u.name FROM users u JOIN members m ON m.user_id = u.id
        WHERE m.project_id = $1 AND 'user:' || u.id = ANY($2)
        """,
        project_id,
        list(ids),
    )
    return {row["id"]: row["name"] for row in found}
