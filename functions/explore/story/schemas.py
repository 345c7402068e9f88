"""The HTTP shapes of an event's story, and of what two events differ in."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from functions.explore.schemas import EventBody, ExplainItem
from shared.runtime.schema import Schema


class SenderBody(Schema):
    """Who sent an event, and with which credential."""

    kind: Literal["key", "user", "producer", "source", "reply"] = Field(
        description="An API key, a signed-in person, a producer by a token of its own issuer, the source of a "
        "webhook, or a sink whose answer it was."
    )
    id: str = Field(description="The key's or the person's id; the name of the others.")
    name: str | None = Field(
        description="Of the key (to whoever may read keys) or the person; null also when it is gone."
    )
    producer: str | None = Field(description="The producer that the credential is of.")
    revoked_at: datetime | None = Field(description="When the key was revoked since.")


class IntakeBody(Schema):
    """What happened to an event before it was on disk. Null each where that was not noted."""

    duration_ms: float | None = Field(
        description="From its request's arrival until it waited for its commit: reading, credential, schema."
    )
    commit_events: int | None = Field(description="How many events the commit stored that made it durable.")
    schema_version: int | None = Field(
        description="The version of its type's schema that it was held against; null where none is in force."
    )


class RelatedBody(Schema):
    """Another event that has to do with this one."""

    relation: Literal["cause", "effect", "trace", "correlation"] = Field(
        description="What it came of, what came of it (a sink's reply, or `causationid`), the same trace in "
        "`traceparent`, or the same `correlationid`."
    )
    uid: UUID
    received_at: datetime
    id: str
    type: str
    source: str
    subject: str | None
    delivery: UUID | None = Field(description="The delivery whose answer it was, for a reply to this event.")


class RelatedList(Schema):
    """What has to do with an event, the oldest first. Only events received from `since` to `until` are looked at."""

    items: list[RelatedBody]
    since: datetime
    until: datetime
    complete: bool = Field(description="Whether these are all; of each relation there are 50 at most.")


class ReplayedBody(Schema):
    """A replay that delivered the event again, or tried a delivery of it again."""

    id: UUID
    kind: Literal["retry", "replay", "cancel"]
    state: str
    reason: str
    created_by: str
    created_at: datetime


class StoryBody(EventBody):
    """All that is known of an event."""

    sender: SenderBody | None = Field(description="Null where it was not noted.")
    intake: IntakeBody
    subscriptions: list[ExplainItem] = Field(
        description="What every subscription says of it, matched or not, and by which clause not."
    )
    replays: list[ReplayedBody] = Field(description="What delivered it again, the oldest first.")
    related: RelatedList
    newer: UUID | None = Field(
        description="The event after this one; null for the last, or a week without any."
    )
    older: UUID | None = Field(description="The one before it.")


class DifferenceBody(Schema):
    """One place in which two events differ. A side that has nothing there is not `inLeft` or not `inRight`."""

    pointer: str = Field(description="JSON pointer into the event in the JSON format, such as /data/total.")
    in_left: bool
    in_right: bool
    left: Any = None
    right: Any = None


class ComparisonBody(Schema):
    """What an event (`right`) has otherwise than another one (`left`)."""

    left: UUID | None = Field(
        description="Null where none was named and there is none of its type before it."
    )
    right: UUID
    items: list[DifferenceBody]
    complete: bool = Field(description="False when there are more than 1,000 differences.")
