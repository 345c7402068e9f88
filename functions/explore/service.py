"""Finding events and deliveries."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from functions.explore import deliveries, finding, queries, statements
from functions.explore.answer import by_delivery, delivery_body, delivery_item, event_body, event_item
from functions.explore.schemas import DeliveryBody, DeliveryList, EventBody, EventList, SearchedBody, Status
from functions.explore.search import Search, around, received_at
from shared.auth.access import Access
from shared.core.problems import NOT_FOUND, Problem
from shared.core.things import id_of, there
from shared.db.events import stored_event
from shared.runtime.listing import write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from shared.db.project_pool import ProjectPool

PAGE_BYTES = 16 * 1024 * 1024
"""A page ends early, with the event whose data takes it past this: `next` goes on from there."""

ONE_MOMENT: dict[str, Any] = {"isolation": "repeatable_read", "readonly": True}
"""Statements that tell one story see the same moment: dispatch writes on meanwhile."""


Found = TypeVar("Found")


class Explorer:
    """The use cases, on the stores of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def events(self, search: Search, limit: int) -> EventList:
        """A page of events, newest first."""
        if search.is_empty:
            searched = None if search.text is None else SearchedBody(count=0, until=None)
            return EventList(items=[], next=None, searched=searched)
        async with (await self._resources.reading_of(search.project_id)).acquire() as conn:
            if statements.is_whole(search):
                rows, after = await _page(conn, search, limit)
                searched = None
            else:
                rows, after, searched = await _found_page(conn, search, limit)
            outcomes = await _outcomes(conn, search.project_id, [row["uid"] for row in rows])
        return EventList.model_construct(
            items=[event_item(row, outcomes.get(row["uid"])) for row in rows],
            next=None if after is None else write_cursor(after),
            searched=searched,
        )

    async def event(self, access: Access, uid: str) -> EventBody:
        """One event with its deliveries and their attempts. Raises Problem 404."""
        return await self.ask(access, partial(_event, access, uid))

    async def deliveries(self, search: Search, status: Status | None, limit: int) -> DeliveryList:
        """A page of deliveries, newest event first."""
        if search.is_empty:
            return DeliveryList(items=[], next=None, searched=None)
        async with (await self._resources.reading_of(search.project_id)).acquire() as conn:
            found = await deliveries.find(conn, search, status, limit)
            rows = (
                await queries.fetch(conn, deliveries.rows(search.project_id, found.uids))
                if found.uids
                else []
            )
        return DeliveryList.model_construct(
            items=[delivery_item(row, row["event_type"], row["event_subject"]) for row in rows],
            next=None if found.after is None else write_cursor(found.after),
            searched=searched_body(found),
        )

    async def delivery(self, access: Access, delivery_id: str) -> DeliveryBody:
        """One delivery with its attempts. Raises Problem 404."""
        return await self.ask(access, partial(_delivery, access, delivery_id))

    async def ask(self, access: Access, ask: "Callable[[ProjectPool], Awaitable[Found]]") -> Found:
        """What a replica answers; what it does not have (yet), the database itself."""
        try:
            return await ask(await self._resources.reading_of(access.project_id))
        except Problem as problem:
            if problem.kind is not NOT_FOUND or self._resources.settings.database_read_url is None:
                raise
        return await ask(await self._resources.of(access.project_id))


async def _event(access: Access, uid: str, pool: "ProjectPool") -> EventBody:
    async with pool.acquire() as conn, conn.transaction(**ONE_MOMENT):
        row = await find_event(conn, access, uid)
        found = row["uid"]
        low, high = around(found)
        outcomes = await queries.outcomes(conn, access.project_id, [found], [low], [high])
        _, deliveries = await deliveries_of(conn, access.project_id, row)
    return event_body(row, outcomes.get(found), deliveries)


async def deliveries_of(
    conn: "Connection", project_id: UUID, row: "Record"
) -> "tuple[list[Record], list[DeliveryBody]]":
    """The deliveries of the event in `row`, by subscription: as they are stored, and as they are shown."""
    low, high = around(row["uid"])
    rows = await queries.deliveries_of_event(conn, project_id, row["uid"], low, high)
    ids = [delivery["id"] for delivery in rows if delivery["attempt_count"] > 1]
    later = by_delivery(await queries.attempts(conn, project_id, low, high, ids)) if ids else {}
    event = stored_event(row)
    return rows, [delivery_body(d, event, later.get(d["id"], ())) for d in rows]


async def _delivery(access: Access, delivery_id: str, pool: "ProjectPool") -> DeliveryBody:
    async with pool.acquire() as conn, conn.transaction(**ONE_MOMENT):
        found = id_of(delivery_id, "delivery")
        row = there(await queries.delivery(conn, access.project_id, found), "delivery")
        low, high = around(row["id"])
        later = await queries.attempts(conn, access.project_id, low, high, [row["id"]])
        event = await queries.event(conn, access.project_id, row["event_uid"])
    return delivery_body(row, None if event is None else stored_event(event), later)


async def find_event(conn: "Connection", access: Access, uid: str) -> "Record":
    """One of the project's events. Raises Problem 404, also for what is no uid at all."""
    found = id_of(uid, "event")
    row = await queries.event(conn, access.project_id, found)
    if row is None and await queries.is_archived(conn, access.project_id, found):
        raise Problem(
            NOT_FOUND,
            f"It is not in the database any more. Events of {received_at(found):%Y-%m-%d} are in the archive:"
            " look there, and bring it back.",
        )
    return there(row, "event")


async def _page(conn: "Connection", search: Search, limit: int) -> "tuple[list[Record], UUID | None]":
    """The rows, and the last key of the page when more follow."""
    rows = await queries.fetch(conn, statements.page(search, limit + 1, PAGE_BYTES))
    if not rows or rows[0]["found"] <= min(limit, len(rows)):
        return rows, None
    rows = rows[:limit]
    return rows, rows[-1]["uid"]


async def _found_page(
    conn: "Connection", search: Search, limit: int
) -> "tuple[list[Record], UUID | None, SearchedBody | None]":
    """The same for what no index alone has in order, and how far was looked."""
    found = await finding.find(conn, search, limit)
    rows = await queries.events_by_uid(conn, search.project_id, found.uids, PAGE_BYTES) if found.uids else []
    after = found.after if len(rows) == len(found.uids) else rows[-1]["uid"]
    return rows, after, searched_body(found)


def searched_body(found: finding.Found) -> SearchedBody | None:
    """How far was looked; None where an index led to everything."""
    if found.looked is None:
        return None
    return SearchedBody(
        count=found.looked, until=None if found.reached is None else received_at(found.reached)
    )


async def _outcomes(conn: "Connection", project_id: UUID, uids: list[UUID]) -> "dict[UUID, Record]":
    if not uids:
        return {}
    ranges = [around(uid) for uid in uids]
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return await queries.outcomes(conn, project_id, uids, lows, highs)
