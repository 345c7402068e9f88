"""A filter's verdicts on events, and how they differ from the saved filter's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.draft import filter_faults, refusal
from functions.subscriptions.schemas import MAX_GIVEN, CheckBody, CheckItem
from shared.auth.access import Access
from shared.core.ids import timestamp_ms
from shared.core.problems import FORBIDDEN, Fault, Problem
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Attributes, Filter

EVENTS_READ = "events:read"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: an event's attributes, and its uid when it is a stored one."""

    attributes: "Attributes"
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
    from shared.core.filters import compile_filters

    saved: Filter | None = None
    async with (await resources.pg()).acquire() as conn:
        if subscription is not None:
            row = await queries.subscription(conn, access.project_id, subscription)
            if row is None:
                raise refusal([Fault("/subscription", "is not a subscription of this project")])
            saved = compile_filters(row["filters"])
        if events is None:
            rows = await queries.recent_events(conn, access.project_id, last or MAX_GIVEN)
            subjects = [_stored(row) for row in rows]
    return verdicts(compile_filters(filters), saved, subjects)


def verdicts(candidate: "Filter", saved: "Filter | None", subjects: Sequence[Subject]) -> CheckBody:
    """What `candidate` says of each, and where `saved` says otherwise."""
    items = [_verdict(candidate, saved, index, subject) for index, subject in enumerate(subjects)]
    return CheckBody(
        checked=len(items),
        matched=sum(item.matched for item in items),
        errors=sum(item.error is not None for item in items),
        added=sum(item.matched and item.saved_matched is False for item in items),
        removed=sum(not item.matched and item.saved_matched is True for item in items),
        items=items,
    )


def _verdict(candidate: "Filter", saved: "Filter | None", index: int, subject: Subject) -> CheckItem:
    attributes = subject.attributes
    verdict = candidate.explain(attributes)
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
        error=None,
        clause=verdict.clause,
        detail=verdict.detail,
        saved_matched=None if saved is None else saved.matches(attributes),
    )


def _given(events: Sequence[Any]) -> tuple[list[Subject], list[Fault]]:
    """The events of a request body, and what is wrong with those that are none."""
    subjects: list[Subject] = []
    faults: list[Fault] = []
    if not events:
        return subjects, faults
    from shared.core.cloudevents import InvalidEvent, parse_batch

    try:
        body = msgspec.json.encode(events)
        parsed = parse_batch(body, lenient=True)
    except (UnicodeEncodeError, InvalidEvent):
        return [], [Fault("/events", "has a text that is not Unicode")]
    for index, event in enumerate(parsed):
        if isinstance(event, InvalidEvent):
            faults.append(Fault(f"/events/{index}{event.pointer or ''}", event.detail))
        else:
            subjects.append(Subject(event.attributes()))
    return subjects, faults


def _stored(row: "Record") -> Subject:
    from shared.core.cloudevents import Event

    event = Event(
        row["specversion"],
        row["id"],
        row["source"],
        row["type"],
        subject=row["subject"],
        time=row["time"],
        datacontenttype=row["datacontenttype"],
        dataschema=row["dataschema"],
        extensions=row["extensions"] or {},
    )
    return Subject(event.attributes(), row["uid"])
