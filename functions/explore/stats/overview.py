"""How a project does: figures, charts, types and sinks of a range of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.explore.search import received_at
from functions.explore.stats import queries
from functions.explore.stats.queries import COUNTED, by, over
from functions.explore.stats.schemas import (
    BacklogBody,
    FailingBody,
    OverviewBody,
    PointBody,
    SinkCountsBody,
    TotalsBody,
    TypeCountsBody,
    TypePointBody,
)
from functions.explore.stats.span import Span, span_of
from shared.rollups.times import percentile_ms

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from shared.db.project_pool import ProjectPool

MOST_TYPES = 8
MOST_SINKS = 12

Classes = Mapping[int, int]
NOTHING: Mapping[str, int] = dict.fromkeys((*COUNTED, "events"), 0)


async def overview(
    pool: "ProjectPool", project_id: UUID, since: datetime | None, until: datetime | None
) -> OverviewBody:
    """The overview of a project. Raises Problem 422 for a range that ends before it begins."""
    async with pool.acquire() as conn:
        rolled_at, now, marked = await queries.state(conn, project_id)
        span = span_of(since, until, now, rolled_at)
        whole = over(project_id, span.tiles())
        totals = await _totals(conn, project_id, span)
        before = await _totals(conn, project_id, span.before())
        oldest = await queries.waiting_since(conn, project_id)
        points = await _points(conn, project_id, span)
        types, type_count = await _types(conn, project_id, span)
        rows = await queries.rows(conn, queries.BY_SUBSCRIPTION, *whole)
        sinks = await _sinks(conn, project_id, span, rows)
        failing = await _failing(conn, project_id, span, rows, [point.at for point in points])
    return OverviewBody(
        since=span.since,
        until=span.until,
        seconds=span.seconds,
        counted_at=span.counted,
        behind_minutes=marked,
        step_seconds=span.step,
        totals=totals,
        before=before if before.events or before.attempts else None,
        backlog=_backlog(oldest, now),
        points=points,
        failing=failing,
        types=types,
        type_count=type_count,
        sinks=sinks,
        sink_count=len(rows),
    )


async def _totals(conn: "Connection", project_id: UUID, span: Span) -> TotalsBody:
    values = over(project_id, span.tiles())
    (row,) = await queries.rows(conn, queries.TOTALS, *values)
    classes = await queries.rows(conn, queries.TOTAL_LATENCIES, *values)
    return TotalsBody(**_counts(row), **percentiles({c["class"]: c["n"] for c in classes}))


async def _points(conn: "Connection", project_id: UUID, span: Span) -> list[PointBody]:
    values = [*over(project_id, span.tiles(span.step)), *by(span.step)]
    found = {row["at"]: row for row in await queries.rows(conn, queries.POINTS, *values)}
    classes: dict[datetime, dict[int, int]] = defaultdict(dict)
    for row in await queries.rows(conn, queries.LATENCIES, *values):
        classes[row["at"]][row["class"]] = row["n"]
    return [
        PointBody(
            at=at,
            seconds=span.covered(at, span.step),
            backlog_seconds=found[at]["backlog_seconds"] if at in found else None,
            **_counts(found.get(at, NOTHING)),
            **percentiles(classes.get(at, {})),
        )
        for at in span.starts(span.step)
    ]


async def _types(conn: "Connection", project_id: UUID, span: Span) -> tuple[list[TypeCountsBody], int]:
    """Those with the most events, and how many there are."""
    step = span.part_step
    events: dict[str, dict[datetime, int]] = defaultdict(dict)
    values = [*over(project_id, span.tiles(step)), *by(step)]
    for row in await queries.rows(conn, queries.EVENTS_BY_TYPE, *values):
        events[row["type"]][row["at"]] = row["events"]
    rows = await queries.rows(conn, queries.DELIVERIES_BY_TYPE, *over(project_id, span.tiles()))
    became = {row["type"]: row for row in rows}
    sums = {name: sum(counts.values()) for name, counts in events.items()}
    # What is no single type comes last.
    most = sorted(sums, key=lambda name: (not name, -sums[name], name))[:MOST_TYPES]
    starts = span.starts(step)
    bodies = [
        TypeCountsBody(
            type=name,
            points=[TypePointBody(at=at, events=events[name].get(at, 0)) for at in starts],
            **{**_counts(became.get(name, NOTHING)), "events": sums[name]},
        )
        for name in most
    ]
    return bodies, len(sums)


async def _sinks(
    conn: "Connection", project_id: UUID, span: Span, rows: "list[Record]"
) -> list[SinkCountsBody]:
    """The worst ones first."""
    worst = sorted(
        rows,
        key=lambda row: (-row["dead"], -row["failed_attempts"], -row["attempts"], row["subscription_id"]),
    )[:MOST_SINKS]
    ids = [row["subscription_id"] for row in worst]
    if not ids:
        return []
    named = await queries.subscriptions(conn, project_id, ids)
    circuits = await queries.circuits(conn, project_id, ids)
    slow = answers_of(await queries.rows(conn, queries.ANSWERS, *over(project_id, span.tiles())))
    return [
        SinkCountsBody(
            subscription=row["subscription_id"],
            subscription_name=named[row["subscription_id"]]["name"],
            sink=named[row["subscription_id"]]["sink"],
            state=named[row["subscription_id"]]["state"],
            circuit=circuits.get(row["subscription_id"], "closed"),
            p95_ms=percentile_ms(slow.get(row["subscription_id"], {}), 0.95),
            **{column: row[column] for column in COUNTED},
        )
        for row in worst
        if row["subscription_id"] in named
    ]


async def _failing(
    conn: "Connection", project_id: UUID, span: Span, rows: "list[Record]", starts: list[datetime]
) -> FailingBody | None:
    failed = [row for row in rows if row["failed_attempts"]]
    if not failed:
        return None
    worst: UUID = max(failed, key=lambda row: row["failed_attempts"])["subscription_id"]
    named = (await queries.subscriptions(conn, project_id, [worst])).get(worst)
    values = [*over(project_id, span.tiles(span.step)), *by(span.step), worst]
    found = {
        row["at"]: row["failed_attempts"]
        for row in await queries.rows(conn, queries.FAILED_OVER_TIME, *values)
    }
    return FailingBody(
        subscription=worst,
        subscription_name="" if named is None else named["name"],
        failed_attempts=[found.get(at, 0) for at in starts],
    )


def _backlog(oldest: UUID | None, now: datetime) -> BacklogBody:
    if oldest is None:
        return BacklogBody(since=None, seconds=0)
    since = received_at(oldest)
    return BacklogBody(since=since, seconds=max((now.astimezone(UTC) - since).total_seconds(), 0))


def answers_of(rows: "Iterable[Record]") -> dict[UUID, dict[int, int]]:
    """How many answers of each class there are, by subscription."""
    found: dict[UUID, dict[int, int]] = defaultdict(dict)
    for row in rows:
        found[row["subscription_id"]][row["class"]] = row["n"]
    return found


def percentiles(classes: Classes) -> dict[str, float | None]:
    """What is shown of latencies."""
    return {
        f"p{share}_ms": None if (found := percentile_ms(classes, share / 100)) is None else round(found, 2)
        for share in (50, 95, 99)
    }


def _counts(row: "Mapping[str, Any] | Record") -> dict[str, Any]:
    names = [name for name in NOTHING if name in row.keys()]  # noqa: SIM118 a Record has values, not keys
    return {name: row[name] for name in names}
