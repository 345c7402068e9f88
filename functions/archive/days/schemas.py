"""The HTTP shapes of the archive: its days, its events, and whether they are whole."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from functions.archive.retention.schemas import WaitBody
from shared.runtime.cloudevent import CloudEvent
from shared.runtime.schema import Schema


class DayBody(Schema):
    """A day (UTC, by receipt) of the archive. `packedBytes` are what it takes there, `rawBytes` what it would as text.

    `removedAt` is when its rows left the database; null while they are still there.
    """

    day: date
    events: int
    packed_bytes: int
    raw_bytes: int
    sealed_at: datetime
    removed_at: datetime | None


class PartBody(Schema):
    """An object of a day. `sha256` is of all its bytes."""

    number: int
    key: str
    events: int
    packed_bytes: int
    raw_bytes: int
    sha256: str
    first_uid: UUID
    last_uid: UUID


class WholeDayBody(DayBody):
    """The same with its objects, and the manifest's key and digest."""

    manifest: str
    manifest_sha256: str
    parts: list[PartBody]


class DayList(Schema):
    """A page of days, newest first. `waiting` are those that should be here, and why they are not."""

    items: list[DayBody]
    next: str | None
    waiting: list[WaitBody]


class ObjectVerdict(Schema):
    """Whether an object is what it was when it was written; `fault` says how one can tell that it is not."""

    key: str
    events: int
    fault: str | None


class Verification(Schema):
    """What was looked at of a day: every byte of some objects. `next` goes on with the others."""

    items: list[ObjectVerdict]
    next: str | None


class ArchivedDelivery(Schema):
    """What had become of an event at one subscription when it was archived."""

    id: UUID
    subscription: UUID
    subscription_name: str
    status: str
    attempt_count: int
    last_status_code: int | None
    last_error: str | None
    ended_at: datetime | None


class ArchivedEvent(Schema):
    """An event of the archive, with what had become of it. `event` is the CloudEvent in its JSON format."""

    uid: UUID
    received_at: datetime
    event: CloudEvent
    producer: str | None
    facets: dict[str, Any] | None
    schema_fault: str | None
    deliveries: list[ArchivedDelivery]


class SearchedArchive(Schema):
    """How far was looked: so many events, back to this instant; null where there was nothing to look through."""

    count: int
    until: datetime | None


class ArchivedEventList(Schema):
    """A page of archived events, newest first. It may be empty and have a `next`: further down is more to look through."""

    items: list[ArchivedEvent]
    next: str | None
    searched: SearchedArchive
