"""What an event came of, what came of it, and what shares its trace or its correlation."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from functions.explore.schemas import DeliveryBody
from functions.explore.search import Search, key_range, received_at
from functions.explore.story import queries
from functions.explore.story.schemas import RelatedBody, RelatedList

if TYPE_CHECKING:
    from asyncpg import Connection, Record

BEFORE, AFTER = timedelta(days=1), timedelta(days=7)
"""How far from an event others are looked for: each day is a look into an index more."""

MOST = 50
"""Of each relation."""

LOOKED_THROUGH = 10_000
"""Events before a reply among which its cause is looked for: `causationid` says its id alone, which no index has."""

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")
Relation = Literal["cause", "effect", "trace", "correlation"]


async def related(
    conn: "Connection", project_id: UUID, row: "Record", deliveries: Sequence[DeliveryBody]
) -> RelatedList:
    """What has to do with the event in `row`, each event once, by the closest relation."""
    received = received_at(row["uid"])
    since, until = received - BEFORE, received + AFTER
    low, high = key_range(since, until)
    around = Search(project_id=project_id, low=low, high=high)
    own: UUID = row["uid"]
    found: dict[UUID, RelatedBody] = {}
    complete = True

    def keep(
        rows: "Sequence[Record]", relation: Relation, answers: Mapping[UUID, UUID] | None = None
    ) -> None:
        nonlocal complete
        complete = complete and len(rows) <= MOST
        for other in rows[:MOST]:
            if other["uid"] != own and other["uid"] not in found:
                found[other["uid"]] = _body(other, relation, (answers or {}).get(other["uid"]))

    async def linked(statement: str, value: str, where: Search = around) -> "list[Record]":
        return await queries.linked(conn, statement, where, value, MOST + 1)

    extensions: Mapping[str, Any] = row["extensions"] or {}
    if isinstance(caused := extensions.get("causationid"), str):
        cause = await queries.cause(conn, around.before(own), caused, LOOKED_THROUGH)
        keep([] if cause is None else [cause], "cause")
    if replies := dict(_replies(deliveries)):
        keep(await queries.named(conn, project_id, list(replies)[: MOST + 1]), "effect", replies)
    keep(await linked(queries.EFFECTS, row["id"], replace(around, low=own)), "effect")
    if (trace := trace_of(extensions.get("traceparent"))) is not None:
        keep(await linked(queries.TRACED, trace), "trace")
    if isinstance(correlation := extensions.get("correlationid"), str):
        keep(await linked(queries.CORRELATED, correlation), "correlation")
    items = [found[uid] for uid in sorted(found)]
    return RelatedList(items=items, since=since, until=until, complete=complete)


def trace_of(traceparent: object) -> str | None:
    """The trace id in a `traceparent` (W3C Trace Context); None where there is none."""
    match = _TRACE.fullmatch(traceparent) if isinstance(traceparent, str) else None
    return None if match is None or match[1] == "0" * 32 else match[1]


def _replies(deliveries: Sequence[DeliveryBody]) -> Iterator[tuple[UUID, UUID]]:
    """The events that sinks answered with, each with its delivery."""
    for delivery in deliveries:
        for attempt in delivery.attempts:
            if attempt.reply is not None:
                yield UUID(str(attempt.reply.uid)), delivery.id


def _body(row: "Record", relation: Relation, delivery: UUID | None) -> RelatedBody:
    return RelatedBody(
        relation=relation,
        uid=row["uid"],
        received_at=received_at(row["uid"]),
        id=row["id"],
        type=row["type"],
        source=row["source"],
        subject=row["subject"],
        delivery=delivery,
    )
