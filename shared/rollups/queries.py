"""The statements that count. Every one is of a project, and of minutes or hours that are named."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from shared.rollups.times import CLASS_OF

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

MINUTE = 60
HOUR = 3600

MOST_TYPES = 200
"""Of one minute or hour: the types with fewer events than these count together, as ''."""

TIMEOUT_SECONDS = 60

_RECEIVED_MS = "('x0000' || left(replace({}::text, '-', ''), 12))::bit(64)::bigint"
_FAILED = "{0}error IS NOT NULL OR {0}status_code IS NULL OR {0}status_code NOT BETWEEN 200 AND 299"
_STATUSES = ("pending", "retrying", "delivered", "dead", "cancelled")
_STANDING = ("dead", "retrying", "pending", "cancelled", "unmatched")
_SUMMED = (*_STATUSES, "attempts", "failed_attempts")
_TIMES = "latency_classes, latency_counts, answer_classes, answer_counts"

_BY_STATUS = ", ".join(f"count(*) FILTER (WHERE status = '{status}') AS {status}" for status in _STATUSES)
_SUMS = ", ".join(f"sum({column})::bigint AS {column}" for column in _SUMMED)
_ARRAYS = ", ".join(
    f"coalesce(array_agg({column} ORDER BY class) FILTER (WHERE kind = '{kind}'), '{{}}') AS {kind}_{name}"
    for kind in ("latency", "answer")
    for column, name in (("class", "classes"), ("n::bigint", "counts"))
)

# The ids of a minute's events, deliveries and attempts are one range of each table.
_ROWS = f"""
WITH spans AS MATERIALIZED (
    SELECT s AS starts_at, uuid_floor(s) AS low, uuid_floor(s + $2::integer * interval '1 second') AS high
    FROM unnest($3::timestamptz[]) s
), stored AS MATERIALIZED (
    SELECT s.starts_at, e.uid, coalesce(e.producer, '') AS producer, left(e.type, 255) AS type
    FROM spans s CROSS JOIN LATERAL (
        SELECT uid, producer, type FROM events WHERE project_id = $1 AND uid >= s.low AND uid < s.high OFFSET 0
    ) e
), ranked AS (
    SELECT starts_at, type,
        row_number() OVER (PARTITION BY starts_at ORDER BY count(*) DESC, type) <= {MOST_TYPES} AS named
    FROM stored GROUP BY starts_at, type
), received AS MATERIALIZED (
    SELECT e.starts_at, e.uid, e.producer, CASE WHEN r.named THEN e.type ELSE '' END AS type
    FROM stored e JOIN ranked r USING (starts_at, type)
), made AS MATERIALIZED (
    SELECT s.starts_at, d.*
    FROM spans s CROSS JOIN LATERAL (
        SELECT id, event_uid, subscription_id, subscription_version, status, ended_at, first_started_at,
            first_duration_us, first_status_code, first_error
        FROM deliveries WHERE project_id = $1 AND id >= s.low AND id < s.high OFFSET 0
    ) d
), tried AS MATERIALIZED (
    SELECT starts_at, id AS delivery_id, first_duration_us AS us, {_FAILED.format("first_")} AS failed
    FROM made WHERE first_started_at IS NOT NULL
    UNION ALL
    SELECT s.starts_at, a.delivery_id, a.duration_us, a.failed
    FROM spans s CROSS JOIN LATERAL (
        SELECT delivery_id, duration_us, {_FAILED.format("")} AS failed FROM attempts
        WHERE project_id = $1 AND delivery_id >= s.low AND delivery_id < s.high OFFSET 0
    ) a
), tries AS (
    SELECT delivery_id, count(*) AS attempts, count(*) FILTER (WHERE failed) AS failed_attempts
    FROM tried GROUP BY delivery_id
), classed AS MATERIALIZED (
    SELECT starts_at, subscription_id, 'latency' AS kind, class, count(*) AS n FROM (
        SELECT starts_at, subscription_id, {
    CLASS_OF.format(f"extract(epoch FROM ended_at) * 1000000 - {_RECEIVED_MS.format('id')} * 1000")
} AS class
        FROM made WHERE status = 'delivered' AND ended_at IS NOT NULL
    ) l GROUP BY starts_at, subscription_id, class
    UNION ALL
    SELECT t.starts_at, d.subscription_id, 'answer', t.class, count(*) FROM (
        SELECT starts_at, delivery_id, {CLASS_OF.format("us")} AS class FROM tried WHERE us IS NOT NULL
    ) t JOIN made d ON d.id = t.delivery_id GROUP BY t.starts_at, d.subscription_id, t.class
)
"""

# All that there is to write, as rows of the tables. Nothing is written in this statement: whoever has written holds up the
# stream of all events until it ends (`stream_horizon`), and this may take a while.
COUNT = f"""{_ROWS}
, by_delivery AS MATERIALIZED (
    SELECT $1::uuid AS project_id, $2::integer AS step, d.starts_at, d.subscription_id, d.subscription_version,
        coalesce(e.producer, '') AS producer, coalesce(e.type, '') AS type, {_BY_STATUS},
        coalesce(sum(t.attempts), 0)::bigint AS attempts, coalesce(sum(t.failed_attempts), 0)::bigint AS failed_attempts
    FROM made d LEFT JOIN received e ON e.uid = d.event_uid LEFT JOIN tries t ON t.delivery_id = d.id
    GROUP BY 3, 4, 5, 6, 7
), by_event AS (
    SELECT $1::uuid AS project_id, $2::integer AS step, e.starts_at, e.producer, e.type, count(*) AS events,
        count(*) FILTER (WHERE f.place = 1) AS dead, count(*) FILTER (WHERE f.place = 2) AS retrying,
        count(*) FILTER (WHERE f.place = 3) AS pending, count(*) FILTER (WHERE f.place = 5) AS cancelled,
        count(*) FILTER (WHERE f.place IS NULL) AS unmatched
    FROM received e LEFT JOIN (
        SELECT event_uid,
            min(array_position(ARRAY['dead', 'retrying', 'pending', 'delivered', 'cancelled'], status)) AS place
        FROM made GROUP BY event_uid
    ) f ON f.event_uid = e.uid
    GROUP BY e.starts_at, e.producer, e.type
), by_time AS (
    SELECT $1::uuid AS project_id, $2::integer AS step, starts_at, subscription_id, {_ARRAYS}
    FROM classed GROUP BY starts_at, subscription_id
), times AS (
    SELECT starts_at, {_ARRAYS} FROM (
        SELECT starts_at, kind, class, sum(n) AS n FROM classed GROUP BY starts_at, kind, class
    ) c GROUP BY starts_at
), counts AS (
    SELECT starts_at, {_SUMS} FROM by_delivery GROUP BY starts_at
), whole AS (
    SELECT $1::uuid AS project_id, $2::integer AS step, e.starts_at, e.events,
        {", ".join(f"coalesce(c.{column}, 0) AS {column}" for column in _SUMMED)},
        {", ".join(f"coalesce(t.{column}, '{{}}') AS {column}" for column in _TIMES.split(", "))}
    FROM (SELECT starts_at, count(*) AS events FROM received GROUP BY starts_at) e
    LEFT JOIN counts c USING (starts_at) LEFT JOIN times t USING (starts_at)
)
SELECT 'traffic' AS name, to_jsonb(w)::text AS row FROM whole w
UNION ALL SELECT 'event_counts', to_jsonb(e)::text FROM by_event e
UNION ALL SELECT 'delivery_counts', to_jsonb(d)::text FROM by_delivery d
UNION ALL SELECT 'delivery_times', to_jsonb(t)::text FROM by_time t
"""

TABLES = ("traffic", "event_counts", "delivery_counts", "delivery_times")

PUT = {
    table: f"""
    INSERT INTO {table} SELECT r.* FROM unnest($1::text[]) c (row)
    CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, c.row::jsonb) r
    """
    for table in TABLES
}
PUT["traffic"] += f"""
ON CONFLICT (project_id, step, starts_at) DO UPDATE SET
    {", ".join(f"{column} = excluded.{column}" for column in ("events", *_SUMMED, *_TIMES.split(", ")))}
"""

_OF_MINUTES = (
    "project_id = $1 AND step = 60 AND starts_at >= h.hour AND starts_at < h.hour + interval '1 hour'"
)
_HOURS = "unnest($2::timestamptz[]) AS h (hour)"


def _summed_times(key: str) -> str:
    """Classes of the minutes of each hour, added up; `key` is further columns to keep apart, with a comma."""
    table = "delivery_times" if key else "traffic"
    return f"""
        SELECT hour, {key} {_ARRAYS} FROM (
            SELECT h.hour, {key} c.kind, c.class, sum(c.n) AS n
            FROM {_HOURS} JOIN {table} ON {_OF_MINUTES} CROSS JOIN LATERAL (
                SELECT 'latency' AS kind, * FROM unnest(latency_classes, latency_counts) AS l (class, n)
                UNION ALL SELECT 'answer', * FROM unnest(answer_classes, answer_counts) AS a (class, n)
            ) c GROUP BY h.hour, {key} c.kind, c.class
        ) summed GROUP BY hour{", " + key.strip(", ") if key else ""}
    """


ROLL_HOURS = (
    f"""
    INSERT INTO traffic (project_id, step, starts_at, events, {", ".join(_SUMMED)}, backlog_seconds, {_TIMES})
    SELECT $1, 3600, c.hour, c.events, {", ".join(f"c.{column}" for column in _SUMMED)}, c.backlog_seconds,
        {", ".join(f"coalesce(t.{column}, '{{}}')" for column in _TIMES.split(", "))}
    FROM (
        SELECT h.hour, sum(events)::bigint AS events, {_SUMS}, max(backlog_seconds) AS backlog_seconds
        FROM {_HOURS} JOIN traffic ON {_OF_MINUTES} GROUP BY h.hour
    ) c LEFT JOIN ({_summed_times("")}) t USING (hour)
    """,
    f"""
    INSERT INTO event_counts (project_id, step, starts_at, producer, type, events, {", ".join(_STANDING)})
    WITH summed AS (
        SELECT h.hour, producer, type, sum(events)::bigint AS events,
            {", ".join(f"sum({column})::bigint AS {column}" for column in _STANDING)}
        FROM {_HOURS} JOIN event_counts ON {_OF_MINUTES} GROUP BY h.hour, producer, type
    )
    SELECT $1, 3600, hour, producer, type, events, {", ".join(_STANDING)} FROM summed
    """,
    f"""
    INSERT INTO delivery_counts (project_id, step, starts_at, subscription_id, subscription_version, producer, type,
        {", ".join(_SUMMED)})
    SELECT $1, 3600, h.hour, subscription_id, subscription_version, producer, type, {_SUMS}
    FROM {_HOURS} JOIN delivery_counts ON {_OF_MINUTES}
    GROUP BY h.hour, subscription_id, subscription_version, producer, type
    """,
    f"""
    INSERT INTO delivery_times (project_id, step, starts_at, subscription_id, {_TIMES})
    SELECT $1, 3600, hour, subscription_id, {_TIMES} FROM ({_summed_times("subscription_id,")}) t
    """,
)

# From one minute with events to the next, by one look at an index each.
BUSY_MINUTES = f"""
WITH RECURSIVE seen AS (
    (SELECT uid FROM events WHERE project_id = $1 AND uid >= uuid_floor($2) AND uid < uuid_floor($3)
     ORDER BY uid LIMIT 1)
    UNION ALL
    SELECT n.uid FROM seen s CROSS JOIN LATERAL (
        SELECT uid FROM events
        WHERE project_id = $1
          AND uid >= uuid_floor(to_timestamp(({_RECEIVED_MS.format("s.uid")} / 60000 + 1) * 60))
          AND uid < uuid_floor($3)
        ORDER BY uid LIMIT 1
    ) n
)
SELECT to_timestamp({_RECEIVED_MS.format("uid")} / 60000 * 60) AS minute FROM seen ORDER BY 1
"""

OLDEST_WAITING = f"""
SELECT extract(epoch FROM now())::float8 - min({_RECEIVED_MS.format("id")}) / 1000.0::float8 AS seconds FROM (
    (SELECT id FROM deliveries WHERE project_id = $1 AND status = 'pending' ORDER BY id LIMIT 1)
    UNION ALL
    (SELECT id FROM deliveries WHERE project_id = $1 AND status = 'retrying' ORDER BY id LIMIT 1)
) oldest
"""


async def lock(on: "Connection", project_id: UUID) -> bool:
    """Be the one who counts this project until the transaction ends; False where somebody else is."""
    return bool(
        await on.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('rollups ' || $1::uuid, 0))", project_id
        )
    )


async def state(on: "Connection | Pool", project_id: UUID) -> "Record | None":
    """`rolled_at` and `took_ms` of a project that was counted before; `now` with it."""
    return await on.fetchrow("SELECT rolled_at, took_ms FROM rollups WHERE project_id = $1", project_id)


async def note(on: "Connection", project_id: UUID, rolled_at: datetime, took_ms: int) -> None:
    """Keep until when the project is counted."""
    await on.execute(
        """
        INSERT INTO rollups (project_id, rolled_at, took_ms) VALUES ($1, $2, $3)
        ON CONFLICT (project_id) DO UPDATE SET rolled_at = excluded.rolled_at, took_ms = excluded.took_ms
        """,
        project_id,
        rolled_at,
        took_ms,
    )


async def busy_minutes(
    on: "Connection", project_id: UUID, since: datetime, until: datetime
) -> list[datetime]:
    """The minutes in which the project received events, from `since` (a whole minute) to before `until`."""
    rows = await on.fetch(BUSY_MINUTES, project_id, since, until, timeout=TIMEOUT_SECONDS)
    return [row["minute"] for row in rows]


async def whole(on: "Connection", project_id: UUID, step: int, starts: Sequence[datetime]) -> list[datetime]:
    """Those of these minutes (or hours) of which as many events are there as were counted, and any at all."""
    rows = await on.fetch(
        """
        SELECT f.starts_at FROM (
            SELECT s AS starts_at, (
                SELECT count(*) FROM events WHERE project_id = $1
                    AND uid >= uuid_floor(s) AND uid < uuid_floor(s + $2::integer * interval '1 second')
            ) AS events FROM unnest($3::timestamptz[]) s
        ) f LEFT JOIN traffic t ON t.project_id = $1 AND t.step = $2 AND t.starts_at = f.starts_at
        WHERE f.events > 0 AND f.events >= coalesce(t.events, 0) ORDER BY f.starts_at
        """,
        project_id,
        step,
        starts,
        timeout=TIMEOUT_SECONDS,
    )
    return [row["starts_at"] for row in rows]


async def count(
    on: "Connection", project_id: UUID, step: int, starts: Sequence[datetime]
) -> dict[str, list[str]]:
    """The rows of these minutes (or hours, by `step`), counted: what to `put` into each table. Nothing is written."""
    if not starts:
        return {}
    # Of rows that were just written the planner knows nothing. It would join tens of thousands by going through them
    # for each other; where a join is by ranges it has no other way than the loop that is meant.
    await on.execute("SET LOCAL enable_nestloop = off")
    rows = await on.fetch(COUNT, project_id, step, starts, timeout=TIMEOUT_SECONDS)
    await on.execute("SET LOCAL enable_nestloop = on")
    counted: dict[str, list[str]] = {}
    for row in rows:
        counted.setdefault(row["name"], []).append(row["row"])
    return counted


async def put(
    on: "Connection",
    project_id: UUID,
    step: int,
    starts: Sequence[datetime],
    counted: Mapping[str, Sequence[str]],
) -> None:
    """Keep what was counted of these minutes (or hours) in place of what was before."""
    for table in TABLES[1:]:
        await on.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND step = $2 AND starts_at = ANY($3::timestamptz[])",
            project_id,
            step,
            starts,
        )
    for table, rows in counted.items():
        await on.execute(PUT[table], rows, timeout=TIMEOUT_SECONDS)


async def roll_hours(on: "Connection", project_id: UUID, hours: Sequence[datetime]) -> None:
    """Add up the minutes of these hours, in place of what was added up before."""
    for table, statement in zip(TABLES, ROLL_HOURS, strict=True):
        await on.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND step = 3600 AND starts_at = ANY($2::timestamptz[])",
            project_id,
            hours,
        )
        await on.execute(statement, project_id, hours, timeout=TIMEOUT_SECONDS)


async def mark(on: "Connection", project_id: UUID, minutes: Sequence[datetime]) -> None:
    """Have these minutes counted later."""
    await on.execute(
        "INSERT INTO rollup_marks (project_id, minute) SELECT $1, m FROM unnest($2::timestamptz[]) m",
        project_id,
        minutes,
    )


async def marks(on: "Connection", project_id: UUID, limit: int) -> dict[int, datetime]:
    """The marks of the newest marked minutes, by their ids. Count those in a later statement, then `unmark` them.

    Whoever changes one after this marks it again.
    """
    rows = await on.fetch(
        """
        SELECT id, minute FROM rollup_marks WHERE project_id = $1 AND minute IN (
            SELECT DISTINCT minute FROM rollup_marks WHERE project_id = $1 ORDER BY minute DESC LIMIT $2
        )
        """,
        project_id,
        limit,
    )
    return {row["id"]: row["minute"] for row in rows}


async def unmark(on: "Connection", project_id: UUID, seen: Mapping[int, datetime]) -> None:
    """Take away these marks, and none that came since."""
    await on.execute(
        "DELETE FROM rollup_marks WHERE project_id = $1 AND minute = ANY($2::timestamptz[]) AND id = ANY($3::bigint[])",
        project_id,
        list(set(seen.values())),
        list(seen),
    )


async def sample_backlog(on: "Connection", project_id: UUID, minute: datetime) -> None:
    """Note for this minute how long the oldest delivery has been waiting; the longest that was seen stays."""
    await on.execute(
        f"""
        INSERT INTO traffic (project_id, step, starts_at, backlog_seconds)
        SELECT $1, 60, $2, greatest(seconds, 0)::bigint FROM ({OLDEST_WAITING}) o WHERE seconds IS NOT NULL
        ON CONFLICT (project_id, step, starts_at) DO UPDATE SET
            backlog_seconds = greatest(traffic.backlog_seconds, excluded.backlog_seconds)
        """,
        project_id,
        minute,
    )


async def forget(on: "Connection", project_id: UUID, step: int, before: datetime) -> None:
    """Delete what was counted of minutes or hours before that instant."""
    for table in TABLES:
        await on.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND step = $2 AND starts_at < $3",
            project_id,
            step,
            before,
        )


async def due_projects(on: "Pool", slack_seconds: int) -> list[UUID]:
    """Projects of which there may be something to count, the one that was counted longest ago first."""
    rows = await on.fetch(
        """
        SELECT p.id FROM projects p LEFT JOIN rollups r ON r.project_id = p.id
        WHERE r.project_id IS NULL
           OR EXISTS (SELECT FROM rollup_marks m WHERE m.project_id = p.id)
           OR EXISTS (SELECT FROM events e WHERE e.project_id = p.id
                      AND e.uid >= uuid_floor(r.rolled_at - $1::integer * interval '1 second'))
           OR EXISTS (SELECT FROM deliveries d WHERE d.project_id = p.id AND d.status = 'pending')
           OR EXISTS (SELECT FROM deliveries d WHERE d.project_id = p.id AND d.status = 'retrying')
        ORDER BY r.rolled_at NULLS FIRST
        """,
        slack_seconds,
        timeout=TIMEOUT_SECONDS,
    )
    return [row["id"] for row in rows]
