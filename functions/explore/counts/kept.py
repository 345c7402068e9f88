"""Counts that are kept by the minute and the hour, for histograms of more events than one answer looks at."""

# ruff: noqa: S608 statements are put together from constants of this folder alone

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.explore.counts.bars import HOUR, MINUTE, Bars, moment
from functions.explore.search import OUTCOMES, OfDeliveries, Outcome, Search, to_ms
from functions.explore.stats.span import Span
from shared.core.ids import floor
from shared.rollups.upkeep import MINUTES_KEPT

if TYPE_CHECKING:
    from asyncpg import Connection

Counts = Counter[tuple[int, Outcome]]
"""Events by the bar that they are in and how they stand."""

_KEPT = ("dead", "retrying", "pending", "cancelled", "unmatched")

_SUMS = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in ("events", *_KEPT))

KEPT = f"""
SELECT (extract(epoch FROM c.starts_at) * 1000)::bigint / $5 AS place, {_SUMS}
FROM unnest($2::smallint[], $3::timestamptz[], $4::timestamptz[]) AS t (step, low, high)
CROSS JOIN LATERAL (
    SELECT * FROM event_counts c
    WHERE c.project_id = $1 AND c.step = t.step AND c.starts_at >= t.low AND c.starts_at < t.high OFFSET 0
) c
WHERE ($6::text[] IS NULL OR c.type = ANY($6)) AND ($7::text[] IS NULL OR c.producer = ANY($7))
GROUP BY 1
"""

# Of a minute with very many types, those with few events count together, as ''.
IS_FOLDED = """
SELECT EXISTS (
    SELECT FROM unnest($2::smallint[], $3::timestamptz[], $4::timestamptz[]) AS t (step, low, high)
    CROSS JOIN LATERAL (
        SELECT type FROM event_counts c
        WHERE c.project_id = $1 AND c.step = t.step AND c.starts_at >= t.low AND c.starts_at < t.high OFFSET 0
    ) c WHERE c.type = ''
)
"""

# Of a project with a past that nobody has looked at, minutes are counted one part after the other. What was counted once
# and is marked again is only as old as the last count.
IS_UNCOUNTED = """
SELECT EXISTS (
    SELECT FROM (
        SELECT DISTINCT minute FROM rollup_marks WHERE project_id = $1 AND minute >= $2 AND minute < $3
    ) m
    WHERE NOT EXISTS (
          SELECT FROM event_counts c WHERE c.project_id = $1 AND c.step = 60 AND c.starts_at = m.minute
      )
      AND NOT EXISTS (
          SELECT FROM event_counts c
          WHERE c.project_id = $1 AND c.step = 3600 AND c.starts_at = date_trunc('hour', m.minute, 'UTC')
      )
)
"""


def is_kept(search: Search) -> bool:
    """Whether there are counts of what is asked: by type, producer and outcome, and nothing else."""
    rest = replace(search, types=(), producers=(), outcomes=())
    return not (
        rest.asks_of_events
        or search.text is not None
        or search.deliveries != OfDeliveries()
        or any(len(name) > 255 for name in search.types)
    )


def whole(spans: Bars, until: int, counted: datetime | None, now: datetime) -> tuple[int, int]:
    """From where to where before `until` whole minutes or hours are counted, in Unix milliseconds.

    It ends where a bar does, or where the counts do.
    """
    oldest_minute = to_ms(now - MINUTES_KEPT) + HOUR
    unit = MINUTE if spans.since >= oldest_minute else HOUR
    if spans.step % unit:
        return until, until
    low = -(-spans.since // unit) * unit
    end = min(until, to_ms(counted) if counted is not None else 0)
    minutes = MINUTE if end > oldest_minute else unit
    high = end // minutes * minutes
    return (low, high) if low < high else (until, until)


async def kept(
    conn: "Connection", search: Search, spans: Bars, *, low: int, high: int, counted: datetime
) -> Counts | None:
    """The counts from `low` to before `high`.

    None where some of that is yet to be counted, or where they do not tell the types that are asked for apart.
    """
    if await conn.fetchval(IS_UNCOUNTED, search.project_id, moment(low), moment(high)):
        return None
    tiles = Span(moment(low), moment(high), counted).tiles(max(spans.step // 1000, 60))
    where = [
        search.project_id,
        [tile.step for tile in tiles],
        [tile.low for tile in tiles],
        [tile.high for tile in tiles],
    ]
    if search.types and await conn.fetchval(IS_FOLDED, *where):
        return None
    rows = await conn.fetch(
        KEPT, *where, spans.step, list(search.types) or None, list(search.producers) or None
    )
    found: Counts = Counter()
    wanted = search.outcomes or OUTCOMES
    for row in rows:
        index = row["place"] - spans.since // spans.step
        by_outcome = {name: row[name] for name in _KEPT}
        by_outcome["delivered"] = max(row["events"] - sum(by_outcome.values()), 0)
        for outcome in wanted:
            found[index, outcome] += by_outcome[outcome]
    return found


def between(search: Search, low: int, high: int) -> Search:
    """The same search for what was received from `low` to before `high` alone."""
    return replace(search, low=max(search.low, floor(low)), high=min(search.high, floor(high)))
