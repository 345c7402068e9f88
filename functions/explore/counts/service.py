"""Counting events that a search finds: over time, and by what they differ in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from functions.explore import finding
from functions.explore.counts import queries
from functions.explore.counts.bars import Bars, bars, iso, moment
from functions.explore.counts.kept import Counts, between, is_kept, kept, whole
from functions.explore.counts.schemas import (
    FacetBody,
    FacetCounts,
    FacetValue,
    HistogramBar,
    HistogramBody,
    OutcomeCounts,
)
from functions.explore.search import OUTCOMES, Outcome, Search, by_name, received_at, to_ms
from functions.explore.service import searched_body
from functions.explore.stats.queries import state
from shared.core.ids import timestamp_ms
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection

COUNTED = 10_000
"""Events that one answer counts by looking at them."""

COUNT_SECONDS = 1.0
"""Counting ends early when it took that long, and says how far it came."""

KINDS = ("outcome", "type", "source", "facet")


async def histogram(resources: Resources, search: Search, most: int) -> HistogramBody:
    """Events over time, by how they stand: at most `most` bars over the range, or over all that is kept.

    The newest are counted by looking at them, and what is older by counts that are kept where there are such.
    """
    async with (await resources.reading_of(search.project_id)).acquire() as conn:
        spans = await _spans(conn, search, most)
        if spans is None:
            since = received_at(search.low)
            return HistogramBody(
                since=since,
                until=since,
                step="PT1S",
                items=[],
                total=OutcomeCounts(**_by_outcome({})),
                searched=None,
            )
        newest = await _seen(conn, between(search, spans.since, spans.until), spans)
        counts, reached, found = newest.counts, newest.reached, newest.found
        if reached > spans.since and is_kept(search):
            counts, reached = await _with_kept(conn, search, spans, newest)
    items = [
        HistogramBar(
            since=moment(since),
            until=moment(until),
            complete=since >= reached,
            **_by_outcome({outcome: counts[index, outcome] for outcome in OUTCOMES}),
        )
        for index, (since, until) in enumerate(pairwise(spans.edges))
    ]
    total: Counter[Outcome] = Counter()
    for (_, outcome), number in counts.items():
        total[outcome] += number
    return HistogramBody(
        since=moment(spans.since),
        until=moment(spans.until),
        step=iso(spans.step),
        items=items,
        total=OutcomeCounts(**_by_outcome(total)),
        searched=None if reached <= spans.since else searched_body(found),
    )


class _Seen(NamedTuple):
    """Events that were looked at: all from `reached` (Unix milliseconds) on. `moments` are when and how each stands."""

    found: finding.Found
    moments: list[tuple[int, Outcome]]
    counts: Counts
    reached: int


async def _seen(conn: "Connection", search: Search, spans: Bars) -> _Seen:
    found = await _found(conn, search)
    rows = await queries.outcomes(conn, search.project_id, found.uids) if found.uids else []
    moments = [(timestamp_ms(row["uid"]), row["outcome"]) for row in rows]
    counts: Counts = Counter((spans.index(ms), outcome) for ms, outcome in moments)
    reached = timestamp_ms(search.low) if found.after is None else timestamp_ms(found.after) + 1
    return _Seen(found, moments, counts, reached)


async def _with_kept(conn: "Connection", search: Search, spans: Bars, newest: _Seen) -> tuple[Counts, int]:
    """All counts, and from when on they are whole.

    The bars of which every event was seen are as they were; before them come whole minutes that are counted, and at
    their ends what is left of a minute, seen again.
    """
    counted, now, _ = await state(conn, search.project_id)
    edge = next((since for since in spans.edges if since >= newest.reached), spans.until)
    low, high = whole(spans, edge, counted, now)
    if counted is None or low >= high:
        return newest.counts, newest.reached
    counts = await kept(conn, search, spans, low=low, high=high, counted=counted)
    if counts is None:
        return newest.counts, newest.reached
    reached = spans.since
    for first, last in ((spans.since, low), (high, newest.reached)):
        if first < last:
            part = await _seen(conn, between(search, first, min(last, edge)), spans)
            counts.update(part.counts)
            if part.found.after is not None:
                reached = min(last, edge)
    seen_from = max(high, newest.reached)
    counts.update((spans.index(ms), outcome) for ms, outcome in newest.moments if ms >= seen_from)
    return counts, reached


async def facets(resources: Resources, search: Search) -> FacetCounts:
    """What the events differ in. What is asked of one thing does not narrow the counts of that thing."""
    everything: list[FacetBody] = []
    async with (await resources.reading_of(search.project_id)).acquire() as conn:
        everything += await _values(conn, search, KINDS)
        for kind, name, rest in _without(search):
            own = [body for body in await _values(conn, rest, [kind]) if body.name == name]
            everything = [body for body in everything if (body.kind, body.name) != (kind, name)] + own
    everything.sort(key=lambda body: (KINDS.index(body.kind), body.name))
    return FacetCounts(items=everything)


def _without(search: Search) -> list[tuple[str, str, Search]]:
    """Of each thing that is asked, the search without it."""
    found: list[tuple[str, str, Search]] = []
    if search.outcomes:
        found.append(("outcome", "outcome", replace(search, outcomes=())))
    if search.types:
        found.append(("type", "type", replace(search, types=())))
    if search.sources:
        found.append(("source", "source", replace(search, sources=())))
    for name in by_name(search.facets):
        left = tuple(pair for pair in search.facets if pair[0] != name)
        found.append(("facet", name, replace(search, facets=left)))
    return found


async def _values(conn: "Connection", search: Search, kinds: Sequence[str]) -> list[FacetBody]:
    found = await _found(conn, search)
    rows = await queries.values(conn, search.project_id, found.uids, kinds) if found.uids else []
    bodies: dict[tuple[str, str], FacetBody] = {}
    for row in rows:
        key = (row["kind"], row["name"])
        if key not in bodies:
            bodies[key] = FacetBody(
                kind=row["kind"],
                name=row["name"],
                values=[],
                more=max(row["more"], 0),
                searched=None if found.after is None else searched_body(found),
            )
        bodies[key].values.append(FacetValue(value=row["value"], count=row["count"]))
    return list(bodies.values())


async def _found(conn: "Connection", search: Search) -> finding.Found:
    """The events that are counted; `looked` and `reached` say how far that went, also where an index led to them."""
    if search.is_empty:
        return finding.Found([], None, 0, None)
    found = await finding.find(conn, search, COUNTED, seconds=COUNT_SECONDS)
    if found.after is not None and found.looked is None:
        return found._replace(looked=len(found.uids), reached=found.after)
    return found


async def _spans(conn: "Connection", search: Search, most: int) -> Bars | None:
    """The range that is asked for, as far as there are events: not before the first that is kept, nor after now.

    None where that is no time at all.
    """
    now = to_ms(datetime.now(UTC))
    until = min(timestamp_ms(search.high), now + 1)
    since = timestamp_ms(search.low)
    if since == 0:
        first: UUID | None = await queries.oldest(conn, search.project_id)
        since = until - 1 if first is None else min(timestamp_ms(first), until - 1)
    return bars(since, until, most) if since < until else None


def _by_outcome(counts: dict[Any, int]) -> dict[str, int]:
    return {**{outcome: counts.get(outcome, 0) for outcome in OUTCOMES}, "total": sum(counts.values())}
