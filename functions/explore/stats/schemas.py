"""The HTTP shapes of overview and flow."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.runtime.schema import Schema

Circuit = Literal["closed", "halfOpen", "open"]
State = Literal["active", "paused", "disabled", "deleted"]


class SpanBody(Schema):
    """Which time the counts are of. Events are counted by the minute of their receipt, and so is what became of them."""

    since: datetime = Field(description="A whole minute; a whole hour where it is over 14 days ago.")
    until: datetime = Field(
        description="Before this instant: `since` and `until` of a list lead to the rows."
    )
    seconds: float = Field(description="How much of it is over and counted: what rates are reckoned by.")
    counted_at: datetime = Field(description="Until when everything is counted.")
    behind_minutes: int = Field(
        description="Minutes that are yet to be counted again, because something changed: at most 1,000."
    )


class CountsBody(Schema):
    """Deliveries as they stand, and their attempts."""

    pending: int
    retrying: int
    delivered: int
    dead: int
    cancelled: int
    attempts: int
    failed_attempts: int = Field(description="Without an answer, or with one that is not 2xx.")


class TotalsBody(CountsBody):
    """All of a range. Latencies are from receipt until delivered; percentiles are exact to a tenth."""

    events: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class PointBody(TotalsBody):
    """A part of the range."""

    at: datetime
    seconds: float = Field(description="How much of it is over and counted; 0 for what is yet to come.")
    backlog_seconds: int | None = Field(
        description="How long the oldest delivery that waited then had been waiting; null where nobody looked."
    )


class BacklogBody(Schema):
    """What waits now, of whichever time."""

    since: datetime | None = Field(
        description="When the event was received whose delivery waits longest; null where none waits."
    )
    seconds: float


class TypePointBody(Schema):
    """Events of one type in a part of the range."""

    at: datetime
    events: int


class TypeCountsBody(CountsBody):
    """One event type. A type with events and without deliveries matches no subscription."""

    type: str = Field(description="Empty for all those that are not counted by themselves.")
    events: int
    points: list[TypePointBody]


class SinkCountsBody(CountsBody):
    """Where a subscription delivers. `p95Ms` is how long its answers take."""

    subscription: UUID
    subscription_name: str
    sink: str
    state: State
    circuit: Circuit
    p95_ms: float | None


class FailingBody(Schema):
    """The subscription with the most failed attempts, point by point."""

    subscription: UUID
    subscription_name: str
    failed_attempts: list[int] = Field(description="One for each of `points`.")


class OverviewBody(SpanBody):
    """How a project does."""

    step_seconds: int
    totals: TotalsBody
    before: TotalsBody | None = Field(
        description="The same of the time before, as long; null where there was nothing."
    )
    backlog: BacklogBody
    points: list[PointBody]
    failing: FailingBody | None
    types: list[TypeCountsBody] = Field(description="Those with the most events.")
    type_count: int
    sinks: list[SinkCountsBody] = Field(
        description="Those with the most dead letters, then the most failed attempts."
    )
    sink_count: int


class ProducerNode(Schema):
    """Who sends: a credential. `id` is null for all others together."""

    id: str | None = Field(description="`source:NAME`, `producer:NAME`, `key:ID` or `user:ID`.")
    name: str
    events: int


class TypeNode(Schema):
    """An event type. `type` is null for all others together."""

    type: str | None
    events: int


class SubscriptionNode(CountsBody):
    """A subscription. `id` is null for all others together."""

    id: UUID | None
    name: str
    state: State | None
    circuit: Circuit | None
    p95_ms: float | None = Field(description="How long the answers of its sink take.")


class SinkNode(CountsBody):
    """Where subscriptions deliver. `sink` is null for all others together."""

    sink: str | None
    circuit: Circuit | None
    p95_ms: float | None


class ProducedEdge(Schema):
    """Events of a type by one producer: places in the lists of nodes."""

    producer: int
    type: int
    events: int


class PathEdge(CountsBody):
    """A way of deliveries through all four columns: places in the lists of nodes."""

    producer: int
    type: int
    subscription: int
    sink: int


class FlowBody(SpanBody):
    """Which way events take. Of each column the busiest are there, and all others as one, the last."""

    producers: list[ProducerNode]
    types: list[TypeNode]
    subscriptions: list[SubscriptionNode]
    sinks: list[SinkNode]
    produced: list[ProducedEdge]
    paths: list[PathEdge]
