"""Which way events take: producers, types, subscriptions, sinks, and what goes between them."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from functions.explore.stats import queries
from functions.explore.stats.overview import answers_of
from functions.explore.stats.queries import COUNTED, over
from functions.explore.stats.schemas import (
    Circuit,
    FlowBody,
    PathEdge,
    ProducedEdge,
    ProducerNode,
    SinkNode,
    SubscriptionNode,
    TypeNode,
)
from functions.explore.stats.span import span_of
from shared.rollups.times import percentile_ms

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.db.project_pool import ProjectPool

MOST = 30
"""Nodes of a column; all others are one more."""

_WORST: tuple[Circuit, ...] = ("open", "halfOpen", "closed")

Key = TypeVar("Key", bound=Hashable)


class Column(Generic[Key]):
    """The nodes of a column: the busiest by themselves, and all others as the last."""

    def __init__(self, weights: Mapping[Key, int]) -> None:
        ranked = sorted(weights, key=lambda key: (key == "", -weights[key], str(key)))
        self.keys = ranked[:MOST]
        self._places = {key: place for place, key in enumerate(self.keys)}
        self._others = len(self.keys)
        self.has_others = len(ranked) > MOST

    def place(self, key: Key) -> int:
        """Where the node of `key` is."""
        return self._places.get(key, self._others)

    @property
    def nodes(self) -> list[Key | None]:
        """The keys in their order; None is all others."""
        return [*self.keys, None] if self.has_others else [*self.keys]


async def flow(
    pool: "ProjectPool", project_id: UUID, since: datetime | None, until: datetime | None
) -> FlowBody:
    """The flow of a project. Raises Problem 422 for a range that ends before it begins."""
    async with pool.acquire() as conn:
        rolled_at, now, marked = await queries.state(conn, project_id)
        span = span_of(since, until, now, rolled_at)
        values = over(project_id, span.tiles())
        produced = await queries.rows(conn, queries.PRODUCED, *values)
        paths = await queries.rows(conn, queries.PATHS, *values)
        answers = answers_of(await queries.rows(conn, queries.ANSWERS, *values))
        versions = {(row["subscription_id"], row["subscription_version"]) for row in paths}
        sinks = await queries.sinks(conn, project_id, versions)
        ids = {subscription for subscription, _ in versions}
        named = await queries.subscriptions(conn, project_id, ids)
        circuits = await queries.circuits(conn, project_id, ids)
        people = await queries.names_of_people_and_keys(
            conn, project_id, {row["producer"] for row in produced}
        )

    def sink_of(row: "Record") -> str:
        return sinks.get((row["subscription_id"], row["subscription_version"]), "")

    sent, of_type = _summed(produced, "producer", "events"), _summed(produced, "type", "events")
    for row in paths:  # a delivery may be counted before its event is
        sent.setdefault(row["producer"], 0)
        of_type.setdefault(row["type"], 0)
    by_subscription: Counter[UUID] = Counter()
    by_sink: Counter[str] = Counter()
    sends_to: dict[str, set[UUID]] = defaultdict(set)
    for row in paths:
        by_subscription[row["subscription_id"]] += _all(row)
        by_sink[sink_of(row)] += _all(row)
        sends_to[sink_of(row)].add(row["subscription_id"])
    producers, types = Column(sent), Column(of_type)
    subscriptions, targets = Column(by_subscription), Column(by_sink)

    edges: dict[tuple[int, int], int] = defaultdict(int)
    for row in produced:
        edges[producers.place(row["producer"]), types.place(row["type"])] += row["events"]
    ways: dict[tuple[int, int, int, int], Counter[str]] = defaultdict(Counter)
    for row in paths:
        way = (
            producers.place(row["producer"]),
            types.place(row["type"]),
            subscriptions.place(row["subscription_id"]),
            targets.place(sink_of(row)),
        )
        ways[way].update({column: row[column] for column in COUNTED})

    def slowness(found: set[UUID]) -> float | None:
        classes: Counter[int] = Counter()
        for subscription in found:
            classes.update(answers.get(subscription, {}))
        return percentile_ms(classes, 0.95)

    def circuit(found: set[UUID]) -> Circuit:
        states = {circuits.get(subscription, "closed") for subscription in found}
        return next(state for state in (*_WORST, "closed") if state in states or state == "closed")

    def counts(place: int, at: int) -> dict[str, int]:
        found: Counter[str] = Counter()
        for way, counted in ways.items():
            if way[place] == at:
                found.update(counted)
        return {column: found[column] for column in COUNTED}

    return FlowBody(
        since=span.since,
        until=span.until,
        seconds=span.seconds,
        counted_at=span.counted,
        behind_minutes=marked,
        producers=[
            ProducerNode(
                id=key or None,
                name=_name(key, people),
                events=sum(n for (producer, _), n in edges.items() if producer == at),
            )
            for at, key in enumerate(producers.nodes)
        ],
        types=[
            TypeNode(type=key or None, events=sum(n for (_, of), n in edges.items() if of == at))
            for at, key in enumerate(types.nodes)
        ],
        subscriptions=[
            SubscriptionNode(
                id=key,
                name=named[key]["name"] if key in named else "",
                state=named[key]["state"] if key in named else None,
                circuit=None if key is None else circuit({key}),
                p95_ms=None if key is None else slowness({key}),
                **counts(2, at),
            )
            for at, key in enumerate(subscriptions.nodes)
        ],
        sinks=[
            SinkNode(
                sink=key or None,
                circuit=circuit(sends_to[key]) if key else None,
                p95_ms=slowness(sends_to[key]) if key else None,
                **counts(3, at),
            )
            for at, key in enumerate(targets.nodes)
        ],
        produced=[ProducedEdge(producer=p, type=t, events=n) for (p, t), n in edges.items()],
        paths=[
            PathEdge(
                producer=way[0],
                type=way[1],
                subscription=way[2],
                sink=way[3],
                **{column: counted[column] for column in COUNTED},
            )
            for way, counted in ways.items()
        ],
    )


def _summed(rows: "list[Record]", key: str, column: str) -> dict[Any, int]:
    found: dict[Any, int] = defaultdict(int)
    for row in rows:
        found[row[key]] += row[column]
    return found


def _all(row: "Record") -> int:
    """How many deliveries, in whichever state."""
    return int(row["pending"] + row["retrying"] + row["delivered"] + row["dead"] + row["cancelled"])


def _name(producer: str | None, people: Mapping[str, str]) -> str:
    """What a credential is called; what nobody knows any more by its id."""
    if not producer:
        return ""
    return people.get(producer) or producer.partition(":")[2] or producer
