"""Why deliveries fail: counted by subscription and by what the last attempt got."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore import deliveries
from functions.explore.counts import queries
from functions.explore.counts.schemas import CauseBody, CauseList
from functions.explore.counts.service import COUNT_SECONDS, COUNTED
from functions.explore.schemas import SearchedBody, Status
from functions.explore.search import Search, received_at
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

FAILING: tuple[Status, ...] = ("dead", "retrying")
"""What somebody has to look at."""

SHOWN = 50
"""Causes of one answer."""

KNOWN = 200
"""Causes among which those are put together that one search finds."""

ERROR_SIGNS = 200
"""How much of an error a list is asked for."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Deliveries that one search finds; with an answer, `error` is None."""

    status: Status
    subscription: UUID
    status_code: int | None
    error: str | None
    name: str
    sink: str
    count: int
    first: UUID
    last: UUID


async def causes(resources: Resources, search: Search, status: Status | None) -> CauseList:
    """What `status`, or what is dead or being retried, fails with. Counts the newest of those that match."""
    found: list[UUID] = []
    looked, reached = 0, None
    rows: list[Record] = []
    async with (await resources.reading_of(search.project_id)).acquire() as conn:
        for one in (status,) if status else FAILING:
            if search.is_empty:
                break
            part = await deliveries.find(conn, search, one, COUNTED, seconds=COUNT_SECONDS)
            found += part.uids
            looked += part.looked or len(part.uids)
            if part.after is not None:
                end = part.reached or part.after
                reached = end if reached is None else max(reached, end)
        if found:
            rows = await queries.causes(conn, search.project_id, found, KNOWN)
    together = merged([cause_of(row) for row in rows])
    unknown = rows[0]["causes"] - len(rows) if rows else 0
    return CauseList(
        items=[_body(cause) for cause in together[:SHOWN]],
        more=max(len(together) - SHOWN, 0) + unknown,
        searched=None if reached is None else SearchedBody(count=looked, until=received_at(reached)),
    )


def merged(known: Sequence[Cause]) -> list[Cause]:
    """The same, each with those that a list would show beside it: their error has its error in it. Most frequent first.

    A list is asked for text in an error, in any case, and for no more than `ERROR_SIGNS` of it.
    """
    kept: list[Cause] = []
    for cause in sorted(known, key=lambda one: len(one.error or "")):
        within = next((at for at, one in enumerate(kept) if _finds(one, cause)), None)
        if within is not None:
            kept[within] = _sum(kept[within], cause)
        else:
            kept.append(replace(cause, error=None if cause.error is None else cause.error[:ERROR_SIGNS]))
    return sorted(kept, key=lambda one: (one.count, one.last), reverse=True)


def _finds(one: Cause, other: Cause) -> bool:
    return (
        one.error is not None
        and other.error is not None
        and (one.status, one.subscription) == (other.status, other.subscription)
        and one.error.lower() in other.error.lower()
    )


def _sum(one: Cause, other: Cause) -> Cause:
    newer = max(one, other, key=lambda cause: cause.last)
    return replace(
        one,
        count=one.count + other.count,
        first=min(one.first, other.first),
        last=newer.last,
        name=newer.name,
        sink=newer.sink,
    )


def cause_of(row: "Record") -> Cause:
    """A row of `queries.causes`."""
    return Cause(
        status=row["status"],
        subscription=row["subscription_id"],
        status_code=row["status_code"],
        error=row["error"],
        name=row["name"],
        sink=row["sink"],
        count=row["count"],
        first=row["first"],
        last=row["last"],
    )


def _body(cause: Cause) -> CauseBody:
    return CauseBody(
        status=cause.status,
        subscription=cause.subscription,
        subscription_name=cause.name,
        sink=cause.sink,
        status_code=cause.status_code,
        error=cause.error,
        count=cause.count,
        first_at=received_at(cause.first),
        last_at=received_at(cause.last),
    )
