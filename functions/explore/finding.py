"""Finding events: by an index where there is one for what is asked, else by looking at a bounded number of rows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from functions.explore import queries, statements
from functions.explore.search import Search, run_of_days, windows

if TYPE_CHECKING:
    from asyncpg import Connection

WINDOW = 10_000
"""Events that one answer looks through, at most."""

WINDOW_STEP = 1_000
WINDOW_SECONDS = 5.0
"""An answer ends early when it took that long, and says how far it came."""

FIRST_STEP = 250
"""What many events have is found among so many of the newest, without a look at any further index."""

COMMON = 16
"""If so manyeth of a page is found there, it is found in so many times more."""


class Found(NamedTuple):
    """Uids, newest first. `after` is the key below which to go on, None at the end.

    `looked` is how many events were looked through, down to `reached`; None where an index did it all.
    """

    uids: list[UUID]
    after: UUID | None
    looked: int | None = None
    reached: UUID | None = None


class Lookup(NamedTuple):
    """An index that leads to events. `ask` gives some of the newest, and down to which key those are all.

    `in_order` says that it has them in order, so that it is no more work where there are many.
    """

    ask: Callable[["Connection", Search, int], Awaitable[tuple[list[UUID], UUID]]]
    in_order: bool = False


async def find(conn: "Connection", search: Search, limit: int, *, seconds: float | None = None) -> Found:
    """Up to `limit` events. Ends early, with a place to go on, when there was too much to look at."""
    until = monotonic() + (WINDOW_SECONDS if seconds is None else seconds)
    lookup = lookup_of(search)
    if lookup is None:
        return await _scan(conn, search, limit, until=until)
    if lookup.in_order:
        return await _look_up(conn, search, limit, lookup, until)
    # What is common is found at once, where an index of all that have it would have to be read as a whole.
    found = await _scan(conn, search, limit, until=until, window=FIRST_STEP)
    if found.after is not None and limit > len(found.uids) and len(found.uids) * COMMON >= limit:
        further = search.before(found.after)
        found = _joined(
            found,
            await _scan(conn, further, limit - len(found.uids), until=until, window=COMMON * FIRST_STEP),
        )
    if found.after is not None and len(found.uids) < limit:
        further = search.before(found.after)
        found = _joined(found, await _look_up(conn, further, limit - len(found.uids), lookup, until))
    return found


def _joined(first: Found, then: Found) -> Found:
    """What was found before and after a place."""
    return Found(
        first.uids + then.uids,
        then.after,
        None if then.looked is None else (first.looked or 0) + then.looked,
        then.reached,
    )


def lookup_of(search: Search) -> Lookup | None:
    """The index that leads to what is asked, where there is one and the newest are not looked through at once."""
    if search.identity is not None:
        return None
    if search.facets:
        return Lookup(partial(_by_windows, "facets"))
    for column, wanted in (("id", () if search.id is None else (search.id,)), ("subject", search.subjects)):
        if wanted:
            return Lookup(partial(_by_attribute, column, wanted))
    if search.extensions:
        return Lookup(partial(_by_attribute, "extensions", ()))
    statuses = [status for status in search.outcomes if status in statements.UNDER_WAY]
    if statuses and len(statuses) == len(search.outcomes):
        return Lookup(partial(_by_deliveries, tuple(statuses)), in_order=True)
    if search.deliveries.subscriptions:
        return Lookup(partial(_by_deliveries, ()), in_order=True)
    return Lookup(partial(_by_attribute, "source", search.sources)) if search.sources else None


async def _scan(
    conn: "Connection", search: Search, limit: int, *, until: float, window: int | None = None
) -> Found:
    """Look at one event after the other, newest first."""
    most = min(WINDOW, window or WINDOW)
    uids: list[UUID] = []
    count, last = 0, None
    size = min(FIRST_STEP, WINDOW_STEP, most)
    while True:
        rows = await queries.fetch(conn, statements.step(search.before(last), size))
        more = len(rows) == size
        for row in rows:
            count, last = count + 1, row["uid"]
            if row["found"]:
                uids.append(row["uid"])
                if len(uids) == limit:
                    more = more or last != rows[-1]["uid"]
                    break
        if not more or len(uids) == limit or count >= most or monotonic() >= until:
            break
        size = min(size * 4, WINDOW_STEP, most - count)
    return Found(uids, last if more else None, count, last)


async def _look_up(conn: "Connection", search: Search, limit: int, lookup: Lookup, until: float) -> Found:
    """Look at those events alone to which an index leads."""
    uids: list[UUID] = []
    count = 0
    size = max(limit + 1, FIRST_STEP)
    while not search.is_empty:
        wanted, bottom = await lookup.ask(conn, search, size)
        if wanted:
            uids += [row["uid"] for row in await queries.fetch(conn, statements.among(search, wanted))]
        count += len(wanted)
        if len(uids) > limit:
            return Found(uids[:limit], uids[limit - 1], *_looked(search, count, uids[limit - 1]))
        search = replace(search, high=bottom)
        if not search.is_empty and (count >= WINDOW or monotonic() >= until):
            return Found(uids, bottom, count, bottom)
        size = min(size * 4, WINDOW_STEP)
    return Found(uids, None, *_looked(search, count, search.low))


def _looked(search: Search, count: int, reached: UUID) -> tuple[int | None, UUID | None]:
    """What a search for text always tells."""
    return (None, None) if search.text is None else (count, reached if reached.int else None)


async def _by_windows(column: str, conn: "Connection", search: Search, limit: int) -> tuple[list[UUID], UUID]:
    uids: list[UUID] = []
    for low, high in windows(search.low, search.high, datetime.now(UTC)):
        left = limit - len(uids)
        statement = statements.having(replace(search, low=low, high=high), column, left)
        uids += [row["uid"] for row in await queries.fetch(conn, statement)]
        if len(uids) >= limit:
            return uids, uids[-1]
    return uids, search.low


async def _by_attribute(
    column: str, wanted: Sequence[str], conn: "Connection", search: Search, limit: int
) -> tuple[list[UUID], UUID]:
    low, is_over = run_of_days(await queries.lacking_days(conn), search.low, search.high)
    run = replace(search, low=low)
    if is_over:
        statement = (
            statements.having(run, column, limit)
            if column == "extensions"
            else statements.looked_up(run, column, wanted, limit)
        )
        rows = await queries.fetch(conn, statement)
    elif column == "extensions":
        # Of a day that goes on, nothing leads to them: one event after the other.
        rows = await queries.fetch(conn, statements.keys_of(run, limit))
    else:
        async with conn.transaction(readonly=True):
            await conn.execute(statements.ONLY_BITMAPS)
            rows = await queries.fetch(conn, statements.by_ranges(run, column, wanted, limit))
    uids = [row["uid"] for row in rows]
    return uids, uids[-1] if len(uids) == limit else low


async def _by_deliveries(
    statuses: tuple[str, ...], conn: "Connection", search: Search, limit: int
) -> tuple[list[UUID], UUID]:
    rows = await queries.fetch(conn, statements.of_deliveries(search, statuses, limit))
    return [row["uid"] for row in rows if row["uid"] is not None], max(rows[-1]["bottom"], search.low)
