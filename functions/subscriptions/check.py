"""A filter's verdicts on events, and how they differ from the saved filter's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.draft import filter_faults, refusal
from functions.subscriptions.schemas.trial import MAX_GIVEN, CheckBody, CheckItem, CheckWarning
from shared.auth.access import Access
from shared.core.ids import timestamp_ms
from shared.core.problems import FORBIDDEN, Fault, Problem
from shared.db.events import without_data
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Attributes, EventData, Filter

EVENTS_READ = "events:read"
TURN = 20
"""After so many events others have their turn."""


DATA_BYTES = 16 * 1024 * 1024
"""How much data of stored events one check looks at."""

SECONDS = 5.0
"""How long it goes on before it answers with what it has."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: an event's attributes and data, and its uid when it is a stored one."""

    attributes: "Attributes"
    data: "EventData"
    uid: UUID | None = None


async def check(
    resources: Resources,
    access: Access,
    *,
    filters: Any,
    subscription: UUID | None,
    events: Sequence[Any] | None,
    last: int | None,
) -> CheckBody:
    """The verdicts of `filters` on `events`, or on the `last` stored ones.

    Raises Problem 422 for a filter, an event or a subscription that cannot be, and 403 when stored events
    are asked for without the permission to read them.
    """
    faults = filter_faults(filters)
    if events is not None and last is not None:
        faults.append(Fault("/last", "cannot be used together with events"))
    subjects, event_faults = _given(events or ())
    faults.extend(event_faults)
    if faults:
        raise refusal(faults)
    if events is None and EVENTS_READ not in access.permissions:
        raise Problem(FORBIDDEN, f"A check on stored events needs the permission {EVENTS_READ}.")
    from shared.core.filters import InvalidFilter, compile_filters

    candidate = compile_filters(filters)
    saved: Filter | None = None
    wanted = last or MAX_GIVEN
    complete = True
    async with (await resources.of(access.project_id)).acquire() as conn:
        if subscription is not None:
            row = await queries.subscription(conn, access.project_id, subscription)
            if row is None:
                raise refusal([Fault("/subscription", "is not a subscription of this project")])
            try:
                saved = compile_filters(row["filters"])
            except InvalidFilter as error:
                fault = Fault("/subscription", f"has saved filters that cannot be used any more: {error}")
                raise refusal([fault]) from None
        if events is None:
            if candidate.sees_data or (saved is not None and saved.sees_data):
                rows = await queries.recent_events_with_data(conn, access.project_id, wanted, DATA_BYTES)
                size = sum(len(row["data"] or b"") for row in rows)
                complete = len(rows) == wanted or size < DATA_BYTES
            else:
                rows = await queries.recent_events(conn, access.project_id, wanted)
            subjects = [_stored(row) for row in rows]
    return await verdicts(candidate, saved, subjects, filters, complete=complete)


async def verdicts(
    candidate: "Filter", saved: "Filter | None", subjects: Sequence[Subject], filters: Any, *, complete: bool
) -> CheckBody:
    """What `candidate` says of each, and where `saved` says otherwise."""
    from shared.core.filters.advice import warnings

    items: list[CheckItem] = []
    until = monotonic() + SECONDS
    for index, subject in enumerate(subjects):
        if monotonic() > until:
            complete = False
            break
        items.append(_verdict(candidate, saved, index, subject))
        if index % TURN == TURN - 1:
            await asyncio.sleep(0)
    return CheckBody(
        checked=len(items),
        matched=sum(item.matched for item in items),
        errors=sum(item.error is not None for item in items),
        added=sum(item.matched and item.saved_matched is False for item in items),
        removed=sum(not item.matched and item.saved_matched is True for item in items),
        complete=complete,
        warnings=[CheckWarning(pointer=at, detail=text) for at, text in warnings(filters)],
        items=items,
    )


def _verdict(candidate: "Filter", saved: "Filter | None", index: int, subject: Subject) -> CheckItem:
    attributes = subject.attributes
    verdict = candidate.explain(attributes, subject.data)
    received = None
    if subject.uid is not None:
        received = datetime.fromtimestamp(timestamp_ms(subject.uid) / 1000, UTC)
    name = attributes.get("subject")
    return CheckItem(
        uid=subject.uid,
        index=index,
        type=str(attributes["type"]),
        source=str(attributes["source"]),
        subject=None if name is None else str(name),
        received_at=received,
        matched=verdict.matched,
        error=verdict.error,
        clause=verdict.clause,
        detail=verdict.detail,
        saved_matched=None if saved is None else saved.matches(attributes, subject.data),
    )


def _given(events: Sequence[Any]) -> tuple[list[Subject], list[Fault]]:
    """The events of a request body, and what is wrong with those that are none."""
    subjects: list[Subject] = []
    faults: list[Fault] = []
    if not events:
        return subjects, faults
    from shared.core.cloudevents import InvalidEvent, parse_batch
    from shared.core.filters import data_of

    try:
        body = msgspec.json.encode(events)
        parsed = parse_batch(body, lenient=True)
    except (UnicodeEncodeError, InvalidEvent):
        return [], [Fault("/events", "has a text that is not Unicode")]
    for index, event in enumerate(parsed):
        if isinstance(event, InvalidEvent):
            faults.append(Fault(f"/events/{index}{event.pointer or ''}", event.detail))
        else:
            subjects.append(Subject(event.attributes(), data_of(event)))
    return subjects, faults


def _stored(row: "Record") -> Subject:
    from shared.core.filters import NO_DATA, EventData

    data = EventData(row["data"], row["data_kind"]) if "data" in row else NO_DATA
    return Subject(without_data(row).attributes(), data, row["uid"])
