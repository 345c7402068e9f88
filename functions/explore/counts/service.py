"""Counting events that a search finds: over time, and by what they differ in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.explore import finding
from functions.explore.counts import queries
from functions.explore.counts.bars import Bars, bars, iso, moment
from functions.explore.counts.schemas import (
    FacetBody,
    FacetCounts,
    FacetValue,
    HistogramBar,
    HistogramBody,
    OutcomeCounts,
)
from functions.explore.search import OUTCOMES, Search, by_name, to_ms
from functions.explore.service import searched_body
from shared.core.ids import floor, timestamp_ms
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection

COUNTED = 10_000
"""Events that one answer counts by looking at them."""

COUNT_SECONDS = 1.0
"""Counting ends early when it took that long, and says how far it came."""

KINDS = ("outcome", "type", "source", "facet")


async def histogram(resources: Resources, search: Search, most: int) -> HistogramBody:
    """Events over time, by how they stand: at most `most` bars over the range, or over all that is kept."""
    async with (await resources.reading_of(search.project_id)).acquire() as conn:
        spans = await _spans(conn, search, most)
        within = replace(
            search, low=max(search.low, floor(spans.since)), high=min(search.high, floor(spans.until))
        )
        found = await _found(conn, within)
        rows = await queries.outcomes(conn, search.project_id, found.uids) if found.uids else []
    counts = Counter((spans.index(timestamp_ms(row["uid"])), row["outcome"]) for row in rows)
    reached = spans.since if found.after is None else timestamp_ms(found.after) + 1
    edges = spans.edges
    items = [
        HistogramBar(
            since=moment(since),
            until=moment(until),
            complete=since >= reached,
            **_by_outcome({outcome: counts[index, outcome] for outcome in OUTCOMES}),
        )
        for index, (since, until) in enumerate(pairwise(edges))
    ]
    total = Counter(row["outcome"] for row in rows)
    return HistogramBody(
        since=moment(spans.since),
        until=moment(spans.until),
        step=iso(spans.step),
        items=items,
        total=OutcomeCounts(**_by_outcome(total)),
        searched=None if found.after is None else searched_body(found),
    )


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


async def _spans(conn: "Connection", search: Search, most: int) -> Bars:
    """The range that is asked for, as far as there are events: not before the first that is kept, nor after now."""
    now = to_ms(datetime.now(UTC))
    until = min(timestamp_ms(search.high), now + 1)
    since = timestamp_ms(search.low)
    if since == 0:
        first: UUID | None = await queries.oldest(conn, search.project_id)
        since = until - 1 if first is None else timestamp_ms(first)
    return bars(min(since, until - 1), until, most)


def _by_outcome(counts: dict[Any, int]) -> dict[str, int]:
    return {**{outcome: counts.get(outcome, 0) for outcome in OUTCOMES}, "total": sum(counts.values())}
