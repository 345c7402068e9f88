"""The HTTP shapes of events and deliveries. `answer.py` writes them without touching an event's bytes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from shared.runtime.cloudevent import CloudEvent
from shared.runtime.schema import Schema
from shared.sending.shown import ConnectionBody, GotBody, SentBody, TimingsBody

Status = Literal["pending", "retrying", "delivered", "dead", "cancelled"]

_CLAUSE = {
    "anyOf": [
        {"type": "object", "additionalProperties": True, "minProperties": 1, "maxProperties": 1},
        {"type": "null"},
    ]
}


class OutcomeBody(Schema):
    """How many of an event's deliveries are in each state."""

    delivered: int
    retrying: int
    dead: int
    pending: int
    cancelled: int


class EventItem(Schema):
    """A stored event and what came of it."""

    uid: UUID
    received_at: datetime
    event: CloudEvent
    size: int = Field(description="Bytes of the CloudEvent in the JSON format.")
    data_size: int | None = Field(description="Bytes of its data; null when it has none.")
    facets: dict[str, Any] | None = Field(
        description="The values that its type declares as facets; null without any."
    )
    schema_fault: str | None = Field(
        description="What a schema that only warns had against its data; null without a fault."
    )
    fault: str | None = Field(
        description="Why its data cannot be read, and is left out here; null where it can. Such an event is delivered to nobody."
    )
    outcome: OutcomeBody
    latency_ms: int | None = Field(
        description="From receipt until its last successful delivery had ended; null without one."
    )


class SearchedBody(Schema):
    """How far a search went that no index answers: one answer looks through a bounded number of events."""

    count: int = Field(description="Events, or deliveries, that were looked through.")
    until: datetime | None = Field(description="Back to which moment of receipt that is everything.")


class EventList(Schema):
    """Events, newest first."""

    items: list[EventItem]
    next: str | None
    searched: SearchedBody | None = Field(
        description="Null where an index led to everything; with `next`, there is more to look through."
    )


class ReplyBody(Schema):
    """The event that came back and was taken in."""

    uid: UUID
    duplicate: bool = Field(description="Whether it had been taken in before.")


class AttemptBody(Schema):
    """One request to the sink. Without a response, `error` says why there is none."""

    number: int
    started_at: datetime
    duration_ms: float
    status_code: int | None
    error: str | None
    replay: UUID | None = Field(None, description="The replay that had it made; null for what came live.")
    timings: TimingsBody | None = Field(description="Null where they were not kept, or nothing was sent.")
    connection: ConnectionBody | None
    request: SentBody | None
    response: GotBody | None
    reply: ReplyBody | None


class DeadLetterBody(Schema):
    """How far a dead letter has come to the `deadLetterSink` of its subscription."""

    status: Literal["waiting", "delivered", "failed"]
    attempts: int
    last_status_code: int | None
    last_error: str | None


class DeliveryItem(Schema):
    """One event for one subscription. Name and sink are those of the subscription at that time."""

    id: UUID
    event: UUID
    event_type: str | None
    event_subject: str | None
    subscription: UUID
    subscription_name: str
    sink: str
    status: Status
    held: bool = Field(description="It waits until its subscription is active again.")
    attempt_count: int
    next_attempt_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    dead_letter: DeadLetterBody | None = Field(description="Null unless it is dead and was to go elsewhere.")
    replay: UUID | None = Field(description="The replay that made it, or that last tried it again.")


class DeliveryBody(DeliveryItem):
    """A delivery with its attempts, the first one first."""

    attempts: list[AttemptBody]


class DeliveryList(Schema):
    """Deliveries, newest event first."""

    items: list[DeliveryItem]
    next: str | None
    searched: SearchedBody | None = Field(
        description="Null where an index led to everything; with `next`, there is more to look through."
    )


class EventBody(EventItem):
    """A stored event with all of its deliveries."""

    producer: str | None = Field(description="The credential that sent it.")
    deliveries: list[DeliveryBody]


class ExplainItem(Schema):
    """What a subscription says of an event."""

    subscription: UUID
    subscription_name: str
    version: int = Field(description="Which version of the subscription says so.")
    state: Literal["active", "paused", "disabled", "deleted"] = Field(
        description="What it is now, whichever version was asked."
    )
    matched: bool
    clause: Annotated[dict[str, Any] | None, WithJsonSchema(_CLAUSE)] = Field(
        description="The first dialect object that failed."
    )
    detail: str | None = Field(description="With which value it failed, or why a match is not delivered.")
    error: str | None = Field(description="What went wrong while the filter looked at the event.")
    delivery: UUID | None = Field(description="The delivery that came of it, if there is one.")


class ExplainList(Schema):
    """The verdicts of the subscriptions that were asked."""

    items: list[ExplainItem]
