"""Reading the audit log."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from functions.projects.audit import queries
from functions.projects.audit.answer import csv_head, csv_line, ndjson_line
from functions.projects.audit.filters import LAST, Filters
from functions.projects.audit.schemas import Format
from shared.audit.chain import Break
from shared.audit.queries import NO_PROJECT
from shared.audit.verify import PART, Part, holds, verify_part
from shared.auth.access import Access, Principal
from shared.core.problems import FORBIDDEN, NOT_FOUND, Problem
from shared.core.things import read_uuid
from shared.runtime.listing import page_of, read_cursor, write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

WINDOW = 10_000
"""Rows that one request looks through."""

MOST = 10_001
"""So far rows are counted."""

ROWS = 50
"""Of an export at a time: each can have two documents of a quarter of a MiB."""

STEP = 2_000
"""Numbers that an export looks through at a time."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows and the cursor of what follows, None at the end. `until` says how far a search came that goes on."""

    rows: "list[Record]"
    next: str | None
    total: int | None = None
    searched: int = 0
    until: datetime | None = None


async def list_entries(
    resources: Resources, access: Access, filters: Filters, *, limit: int, cursor: str | None
) -> Page:
    """The project's changes, and what concerns no project of its members, newest first. Raises Problem 422."""
    before = read_cursor(cursor) or LAST
    pool, project = await resources.pg(), await resources.of(access.project_id)
    own = await queries.page(project, access.project_id, filters, before, limit=limit + 1, window=WINDOW)
    others = await queries.of_members(pool, access.project_id, filters, before, limit=limit + 1)
    total = None
    if cursor is None and filters.text is None:
        everybodys = await queries.of_members(pool, access.project_id, filters, LAST, limit=MOST)
        total = min(MOST, await queries.count(project, access.project_id, filters, MOST) + len(everybodys))
    last = own[-1] if own else None
    if last is not None and last["place"] < WINDOW:
        last = None
    fitting = [row for row in own if row["fits"]]
    # Behind the last row that was looked at nothing is known of the project's own.
    floor = None if last is None else last["id"]
    others = [row for row in others if floor is None or row["id"] >= floor]
    rows = sorted((*fitting, *others), key=lambda row: row["id"].int, reverse=True)
    if len(rows) > limit:
        return Page(rows[:limit], write_cursor(rows[limit - 1]["id"]), total)
    if last is None:
        return Page(rows, None, total)
    return Page(rows, write_cursor(last["id"]), total, last["place"], last["at"])


async def list_own(
    resources: Resources, principal: Principal, filters: Filters, *, limit: int, cursor: str | None
) -> Page:
    """What concerns no project of the caller: when and where they signed in. Raises Problem 403 for an API key, 422."""
    if principal.user_id is None:
        raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
    before = read_cursor(cursor) or LAST
    pool = await resources.pg()
    rows = await queries.of_user(pool, principal.user_id, filters, before, limit=limit + 1)
    return Page(*page_of(rows, limit))


async def get_entry(resources: Resources, access: Access, entry_id: str) -> "Record":
    """One of those that `list_entries` gives, with what was before and after. Raises Problem 404."""
    pool, project = await resources.pg(), await resources.of(access.project_id)
    wanted = read_uuid(entry_id)
    if wanted is None:
        raise _missing()
    row = await queries.entry(project, access.project_id, wanted)
    if row is None:
        row = await queries.entry(pool, NO_PROJECT, wanted)
        if row is None or not await queries.is_of_member(pool, access.project_id, row):
            raise _missing()
    return row


async def values(resources: Resources, access: Access) -> "list[Record]":
    """Who did what lately."""
    return await queries.values(await resources.of(access.project_id), access.project_id, WINDOW)


async def verify(resources: Resources, access: Access, after: int, noted: tuple[int, str] | None) -> Part:
    """A part of the project's chain, computed again; with `noted` a head that an earlier look gave is looked for."""
    pool = await resources.of(access.project_id)
    found = await verify_part(pool, access.project_id, after, PART)
    if noted is not None and found.broken is None and not await holds(pool, access.project_id, *noted):
        return replace(found, broken=Break(noted[0], None, "head"))
    return found


async def export(
    resources: Resources, access: Access, filters: Filters, form: Format
) -> AsyncIterator[bytes]:
    """The project's own changes that fit, the first one first, up to the last that there is now.

    Without filters it is the whole chain, which can be verified away from here. Nothing is kept open in between.
    """
    pool = await resources.of(access.project_id)
    head = await queries.head(pool, access.project_id)
    if form == "csv":
        yield csv_head()
    line = csv_line if form == "csv" else ndjson_line
    for start in range(0, head, STEP):
        after, to = start, min(start + STEP, head)
        while True:
            rows = await queries.part(pool, access.project_id, filters, after=after, to=to, limit=ROWS)
            if rows:
                yield b"".join(map(line, rows))
            if len(rows) < ROWS:
                break
            after = rows[-1]["sequence"]


def _missing() -> Problem:
    return Problem(NOT_FOUND, "There is no such entry in the audit log of this project.")
