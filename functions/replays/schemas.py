"""The HTTP shapes of replays."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from shared.core.delivery import MAX_RATE
from shared.runtime.listing import Instant, LastCode, storable
from shared.runtime.schema import OneLine, Request, Schema

MAX_NAMED = 10_000
"""How many deliveries or events can be named one by one."""

MAX_STOP = 1_000

Status = Literal["pending", "retrying", "delivered", "dead", "cancelled"]
Kind = Literal["retry", "replay", "cancel"]
State = Literal["running", "paused", "done", "cancelled"]
Circuit = Literal["closed", "open", "halfOpen"]
SinkState = Literal["active", "paused", "disabled", "deleted"]

Rate = Annotated[
    float,
    Field(gt=0, le=MAX_RATE, description="Deliveries a second to each sink. Null is as many as it takes."),
]
Reason = Annotated[
    str,
    StringConstraints(max_length=500, strip_whitespace=True),
    OneLine,
    Field(description="Why: kept with the replay and in the audit log."),
]
Filters = Annotated[
    list[Any] | None,
    WithJsonSchema(
        {
            "type": ["array", "null"],
            "description": "Dialect objects as a subscription has them; every one must hold.",
            "items": {"type": "object", "additionalProperties": True},
        }
    ),
]
Value = Annotated[str, StringConstraints(min_length=1, max_length=2048), AfterValidator(storable)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]
StatusCode = Annotated[int, Field(ge=100, le=599)] | LastCode
MAX_VALUES = 20
"""An empty list of them is refused: it would not mean none, but that nothing is said, which is everything."""


class ReplaySelect(Request):
    """Which deliveries, or which events. Everything that is said must hold.

    Without `to` these are deliveries: those named (`delivery`, `deliveries`), those of events (`event`, `events`), or those in a
    `status`. With `to` they are events: those named, those of deliveries in a `status` or of a `subscription`, or all
    of a time.
    """

    delivery: UUID | None = Field(default=None, description="One delivery.")
    deliveries: list[UUID] | None = Field(
        default=None, min_length=1, max_length=MAX_NAMED, description="Several deliveries."
    )
    event: UUID | None = Field(default=None, description="The uid of one event.")
    events: list[UUID] | None = Field(
        default=None, min_length=1, max_length=MAX_NAMED, description="The uids of several events."
    )
    status: Status | list[Status] | None = Field(
        default=None, description="Deliveries in this state, or in one of these."
    )
    subscription: Value | Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES)] | None = Field(
        default=None, description="Deliveries of the subscription with this id or name, or of any of these."
    )
    sink: Value | Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES)] | None = Field(
        default=None, description="Deliveries to exactly this address, or to any of these."
    )
    since: Instant | None = Field(default=None, description="Of events received at or after this instant.")
    until: Instant | None = Field(default=None, description="Of events received before this instant.")
    filters: Filters = None
    type: Value | Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES)] | None = Field(
        default=None, description="Of events of exactly this type, or of any of these."
    )
    status_code: (
        StatusCode | Annotated[list[StatusCode], Field(min_length=1, max_length=MAX_VALUES)] | None
    ) = Field(
        default=None,
        description="Deliveries whose last attempt got this: `503`, `5xx`, or `none` without an answer; or any of these.",
    )
    error: Text | None = Field(
        default=None,
        description="Deliveries whose last attempt failed with this text in its error, in any case.",
    )
    q: Text | None = Field(
        default=None,
        description="Deliveries with this text in the sink, the subscription's name, the error, or the event's type or "
        "subject, in any case.",
    )


class StopRule(Request):
    """When to stop by itself: if more than `failed` of the last `of` that were tried at one sink have failed.

    The replay is paused then, and says why.
    """

    failed: int = Field(ge=0, le=MAX_STOP)
    of: int = Field(ge=1, le=MAX_STOP)


class _Wanted(Request):
    select: ReplaySelect
    leave_out: list[UUID] = Field(
        default_factory=list,
        max_length=1_000,
        description="Subscriptions whose deliveries are left out although they match.",
    )
    dry_run: bool = Field(default=False, description="Only count, and say what to expect. Nothing is kept.")
    reason: Reason = ""


class ReplayRequest(_Wanted):
    """What to deliver again, and how.

    Without `to`, deliveries are opened again as they are: they keep their id and `webhook-id`, attempts are counted on, and they
    have all their retries again. With `to` there are new deliveries: to the subscription of that id or name, or to the
    address, which needs no subscription.
    """

    to: Value | None = Field(
        default=None, description="The id or the name of a subscription, or an http or https address."
    )
    rate_per_second: Rate | None = None
    stop_when: StopRule | None = None


class CancellationRequest(_Wanted):
    """Which deliveries that wait are not to be delivered: `status` is `pending`, `retrying`, or both when absent."""


class ReplayPatch(Request):
    """What can be changed of a replay that has not ended."""

    rate_per_second: Rate | None


class SinkFailingBody(Schema):
    """How a sink has done lately."""

    rate: float = Field(description="The share of the last attempts that failed, 0 to 1.")
    of: int = Field(description="How many attempts that is.")
    would_die: int = Field(description="How many of the deliveries would be dead letters again at that rate.")
    dies_after: str = Field(description="How long one is tried until then: an ISO 8601 duration.")


class DrySinkBody(Schema):
    """What the selection comes to at one sink, and the state of that sink now."""

    subscription: UUID | None = Field(description="Null for an address that has no subscription.")
    subscription_name: str | None
    sink: str
    count: int = Field(description="How many deliveries.")
    duplicates: int = Field(
        description="How many of them it may get a second time: what it took before, and what was sent and not answered."
    )
    left_out: bool = Field(
        description="Whether it is not part of `count` of the whole: as asked, or by its state."
    )
    state: SinkState = Field(
        description="Of the subscription. To one that is disabled or deleted nothing is sent."
    )
    circuit: Circuit
    failing: SinkFailingBody | None = Field(description="Null for a sink that took everything lately.")
    rate_per_second: float | None = Field(
        description="At how many a second it would get them: the lower of the replay's rate and its own limit. Null is no limit."
    )
    seconds: float | None = Field(description="How long that takes, about. Null where nothing is known.")


class DryRunBody(Schema):
    """What would be done. Nothing has been."""

    dry_run: Literal[True] = True
    kind: Kind
    at: datetime
    count: int = Field(description="How many deliveries in all.")
    is_exact: bool = Field(description="False where counting took too long: then there are more.")
    duplicates: int
    seconds: float | None
    done_at: datetime | None = Field(description="When it would be done, about.")
    sinks: list[DrySinkBody]


class ReplaySinkBody(Schema):
    """How far a replay has come at one sink."""

    subscription: UUID
    subscription_name: str | None
    sink: str | None
    total: int | None
    opened: int
    skipped: int


class ReplayItem(Schema):
    """A replay: a job that goes on by itself, whatever is started anew meanwhile.

    `total` was counted when it started; what came later is no part of it. Of those `opened` were handed to dispatch, at
    the rate and while few wait, and `skipped` had changed their state meanwhile.
    """

    id: UUID
    kind: Kind
    state: State
    state_reason: str | None
    reason: str
    select: dict[str, Any] = Field(description="The selection, as it was asked for.")
    to: str | None = Field(description="The subscription's name, or the address.")
    to_subscription: UUID | None
    rate_per_second: float | None
    stop_when: StopRule | None
    total: int | None = Field(description="Null when it was too long to count.")
    opened: int
    skipped: int
    waiting: int = Field(description="Opened, and not ended yet.")
    delivered: int
    failed: int = Field(description="Dead letters.")
    cancelled: int
    seconds_left: float | None = Field(
        description="About. Null where nothing is known, and when it has ended."
    )
    created_by: str = Field(description="The name of the person or the API key.")
    created_at: datetime
    ended_at: datetime | None


class ReplayBody(ReplayItem):
    """A replay with its sinks."""

    sinks: list[ReplaySinkBody]


class ReplayList(Schema):
    """Replays, newest first."""

    items: list[ReplayItem]
    next: str | None
