"""The use cases of the archive's days and events. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import date
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.archive.days import queries
from functions.archive.days.schemas import (
    ArchivedEvent,
    ArchivedEventList,
    ObjectVerdict,
    SearchedArchive,
    Verification,
    WholeDayBody,
)
from functions.archive.stored import Stored, told
from shared.archive import catalog
from shared.archive.wanted import Wanted, received_at
from shared.auth.access import Access
from shared.auth.stores import Stores
from shared.core.problems import INVALID, NOT_FOUND, Fault, Problem
from shared.runtime.listing import read_text_cursor, write_cursor, write_text_cursor

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.archive.lines import Line
    from shared.archive.parts import Part

PARTS = 500
"""Objects that one search knows of: their indexes are read only where it comes to them."""

FRAMES = 100
SEARCH_SECONDS = 5.0
"""A search ends early after so many frames or so long, and says how far it came."""

VERIFY_SECONDS = 10.0


async def list_days(
    stores: Stores,
    access: Access,
    *,
    since: date | None,
    until: date | None,
    limit: int,
    cursor: str | None,
) -> "tuple[list[Record], str | None]":
    """The archived days, newest first. Raises Problem 422 for a bad cursor."""
    rows = await queries.days(
        await stores.of(access.project_id),
        access.project_id,
        since=since,
        until=until,
        before=_day_cursor(cursor),
        limit=limit + 1,
    )
    following = write_text_cursor(f"{rows[limit - 1]['day']}") if len(rows) > limit else None
    return rows[:limit], following


async def get_day(stores: Stores, access: Access, day: date) -> WholeDayBody:
    """One of them with its objects. Raises Problem 404."""
    from shared.archive.manifest import manifest_key

    row, parts = await _day(stores, access, day)
    return WholeDayBody.model_validate(
        {
            **row,
            "manifest": manifest_key(access.project_id, day),
            "manifest_sha256": row["manifest_sha256"].hex(),
            "parts": [{**msgspec.structs.asdict(part), "sha256": part.sha256.hex()} for part in parts],
        }
    )


async def verify_day(
    stores: Stores, stored: Stored, access: Access, day: date, cursor: str | None
) -> Verification:
    """Whether some objects of a day are what they were: its manifest first. Raises Problem 404, 409, 422, 503."""
    from shared.archive.reading import fault_of

    row, parts = await _day(stores, access, day)
    after = _part_cursor(cursor)
    store = stored.open()
    items: list[ObjectVerdict] = []
    following: str | None = None
    ends_at = monotonic() + VERIFY_SECONDS
    with told():
        if after is None:
            items.append(await _manifest_verdict(stored, access, row, parts))
        for part in parts:
            if after is not None and part.number <= after:
                continue
            if monotonic() >= ends_at and (items or after is not None):
                following = write_text_cursor(str(part.number - 1))
                break
            items.append(ObjectVerdict(key=part.key, events=part.events, fault=await fault_of(store, part)))
    return Verification(items=items, next=following)


async def _manifest_verdict(
    stored: Stored, access: Access, row: "Record", parts: "Sequence[Part]"
) -> ObjectVerdict:
    from hashlib import sha256

    from shared.archive.manifest import manifest_key, read_manifest
    from shared.archive.store import MissingObject

    key, fault = manifest_key(access.project_id, row["day"]), None
    try:
        content = await stored.open().get(key)
    except MissingObject:
        fault = "it is not there"
    else:
        if sha256(content).digest() != row["manifest_sha256"]:
            fault = "its checksum is another"
        elif read_manifest(content).parts != list(parts):
            fault = "it names other objects"
    return ObjectVerdict(key=key, events=row["events"], fault=fault)


async def get_event(stores: Stores, stored: Stored, access: Access, uid: str) -> ArchivedEvent:
    """One archived event. Raises Problem 404, 409, 503."""
    from shared.archive.reading import find

    missing = Problem(NOT_FOUND, "There is no such event in this project's archive.")
    try:
        found = UUID(uid)
    except ValueError:
        raise missing from None
    pool = await stores.of(access.project_id)
    parts = await catalog.parts_between(
        pool, access.project_id, found, UUID(int=min(found.int + 1, (1 << 128) - 1)), limit=PARTS
    )
    if not parts:
        raise missing
    with told():
        line = await find(stored.open(), parts, found)
    if line is None:
        raise missing
    return shown(line)


async def list_events(
    stores: Stores, stored: Stored, access: Access, wanted: Wanted, limit: int
) -> ArchivedEventList:
    """A page of archived events, newest first. Raises Problem 409, 503."""
    from shared.archive.reading import newest

    pool = await stores.of(access.project_id)
    parts = await catalog.parts_between(pool, access.project_id, wanted.low, wanted.high, limit=PARTS)
    if not parts:
        return ArchivedEventList(items=[], next=None, searched=SearchedArchive(count=0, until=None))
    with told():
        page = await newest(stored.open(), parts, wanted, limit, seconds=SEARCH_SECONDS, frames=FRAMES)
    following = page.next
    if following is None and len(parts) == PARTS:
        following = parts[-1].first_uid
    reached = received_at(following or parts[-1].first_uid)
    return ArchivedEventList(
        items=[shown(line) for line in page.lines],
        next=None if following is None else write_cursor(following),
        searched=SearchedArchive(count=page.searched, until=reached),
    )


def shown(line: "Line") -> ArchivedEvent:
    """A line as it is answered; the CloudEvent keeps its bytes."""
    members: dict[str, Any] = {
        "uid": line.uid,
        "received_at": received_at(line.uid),
        "event": line.event,
        "producer": line.producer,
        "facets": line.facets,
        "schema_fault": line.schema_fault,
        "deliveries": line.deliveries,
    }
    return ArchivedEvent.model_construct(**members)


async def _day(stores: Stores, access: Access, day: date) -> "tuple[Record, list[Part]]":
    pool = await stores.of(access.project_id)
    row = await catalog.day(pool, access.project_id, day)
    if row is None or row["sealed_at"] is None:
        raise Problem(NOT_FOUND, "That day of this project is not in the archive.")
    return row, await catalog.parts_of_day(pool, access.project_id, day)


def _day_cursor(cursor: str | None) -> date | None:
    text = read_text_cursor(cursor)
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise _no_cursor() from None


def _part_cursor(cursor: str | None) -> int | None:
    text = read_text_cursor(cursor)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise _no_cursor()
    return int(text)


def _no_cursor() -> Problem:
    return Problem(
        INVALID,
        "The request has values that cannot be used.",
        errors=[Fault("/query/cursor", "is not a cursor that a list has given")],
    )
