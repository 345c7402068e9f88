"""The HTTP shapes of subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from shared.core.delivery import (
    DEFAULT,
    MAX_DURATION_SECONDS,
    MAX_IN_FLIGHT,
    MAX_RATE,
    MAX_RETRY,
    MAX_TIMEOUT_SECONDS,
    policy_json,
)
from shared.core.durations import format_duration
from shared.core.signing import MAX_SECRETS
from shared.runtime.schema import Ignored, Request, Schema

State = Literal["active", "paused", "disabled"]

MAX_GIVEN = 500
"""How many events a check looks at."""

_LEAF = {
    "type": "object",
    "description": "Attribute names and the text that each is compared with. All must hold.",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "minLength": 1},
}
_NESTED = {"type": "object", "description": "A dialect object.", "additionalProperties": True}

DIALECT: dict[str, Any] = {
    "type": "object",
    "description": "One dialect of the CloudEvents Subscriptions API: exactly one of these members.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "exact": _LEAF,
        "prefix": _LEAF,
        "suffix": _LEAF,
        "all": {"type": "array", "minItems": 1, "items": _NESTED},
        "any": {"type": "array", "minItems": 1, "items": _NESTED},
        "not": _NESTED,
    },
}

FILTERS: dict[str, Any] = {
    "type": "array",
    "description": "Every entry must hold; an empty array lets every event through.",
    "items": DIALECT,
}


def _duration(high: float) -> dict[str, Any]:
    return {
        "type": ["string", "null"],
        "format": "duration",
        "description": f"An ISO 8601 duration of at most {format_duration(high)}.",
    }


_POLICY: dict[str, dict[str, Any]] = {
    "retry": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_RETRY,
        "description": "How many attempts may follow the first.",
    },
    "backoffPolicy": {"type": ["string", "null"], "enum": ["exponential", "linear", None]},
    "backoffDelay": _duration(MAX_DURATION_SECONDS),
    "backoffMax": _duration(MAX_DURATION_SECONDS),
    "timeout": _duration(MAX_TIMEOUT_SECONDS),
    "retryAfterMax": _duration(MAX_DURATION_SECONDS),
    "format": {"type": ["string", "null"], "enum": ["binary", "json", None]},
    "deadLetterSink": {"type": ["string", "null"], "format": "uri"},
    "ordering": {"type": ["string", "null"], "enum": ["none", "partitionkey", None]},
    "maxInFlight": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_IN_FLIGHT},
    "ratePerSecond": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": MAX_RATE,
        "description": "No limit when null.",
    },
}

GIVEN_POLICY: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Knative's DeliverySpec with what Weir adds. What is absent or null has its default.",
    "additionalProperties": False,
    "properties": {
        name: {**schema, "default": policy_json(DEFAULT)[name]} for name, schema in _POLICY.items()
    },
}

Filters = Annotated[Any, WithJsonSchema(FILTERS)]


class DeliveryPolicyBody(Schema):
    """How events are delivered, every value realised."""

    retry: int
    backoff_policy: Literal["exponential", "linear"]
    backoff_delay: str
    backoff_max: str
    timeout: str
    retry_after_max: str
    format: Literal["binary", "json"]
    dead_letter_sink: str | None
    ordering: Literal["none", "partitionkey"]
    max_in_flight: int
    rate_per_second: float | None


class SinkHealthBody(Schema):
    """How deliveries find the sink. `closed` with nothing else: there is nothing to say."""

    state: Literal["closed", "open", "halfOpen"] = Field(
        description="Of the circuit: open, nothing is sent; halfOpen, one request at a time tries it."
    )
    since: datetime | None
    until: datetime | None = Field(description="Nothing is sent before this; what waits uses up no attempt.")
    reason: str | None
    in_flight_limit: int | None = Field(
        description="How many requests a worker has under way at most, where that is less than was asked for."
    )


class SubscriptionBody(Schema):
    """A subscription as it is kept."""

    id: UUID
    name: str
    filters: Filters
    sink: str
    delivery: DeliveryPolicyBody
    signing_secrets: list[str] = Field(max_length=0, description="Always empty: secrets are never shown.")
    signing_secret_count: int | None = Field(
        description="How many there are; null when they can no longer be opened."
    )
    state: State
    state_reason: str | None = Field(description="Why it is disabled, when that was not asked for.")
    sink_health: SinkHealthBody
    version: int = Field(description="Counts the changes, from 1.")
    created_at: datetime
    updated_at: datetime


class SubscriptionList(Schema):
    """Subscriptions, newest first."""

    items: list[SubscriptionBody]
    next: str | None


class _Given(Request):
    """What a client says of a subscription.

    A body that was read from here can be sent back: members that only Weir writes are ignored.
    """

    name: str | None = Field(default=None, max_length=200, description="Unique in the project.")
    filters: Annotated[Any, WithJsonSchema({**FILTERS, "default": []})] = None
    sink: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": "string",
                "format": "uri",
                "pattern": "^[hH][tT][tT][pP][sS]?://",
                "description": "An http or https URL without user, password and fragment.",
            }
        ),
    ]
    delivery: Annotated[Any, WithJsonSchema(GIVEN_POLICY)] = None
    state: State | None = None
    id: Ignored = None
    state_reason: Ignored = None
    sink_health: Ignored = None
    signing_secret_count: Ignored = None
    version: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


Secrets = Annotated[list[str] | None, Field(max_length=MAX_SECRETS)]


class SubscriptionCreate(_Given):
    """A subscription to be. Without a name it is called after the host of its sink."""

    signing_secrets: Secrets = Field(
        default=None, description="`whsec_…` (HMAC-SHA256) or `whsk_…` (Ed25519), base64. Never shown again."
    )


class SubscriptionReplace(_Given):
    """A subscription as it shall be. An absent name or state stays as it is."""

    signing_secrets: Secrets = Field(
        default=None,
        description="The secrets to use from now on. Absent or empty keeps those there are; null takes them away.",
    )


class CheckRequest(Request):
    """A filter to try, and what to try it on: `events`, or the `last` stored ones (500 when neither is given)."""

    filters: Filters = None
    subscription: UUID | None = Field(default=None, description="Show the difference to its saved filter.")
    events: Annotated[
        list[Any] | None,
        Field(max_length=MAX_GIVEN),
        WithJsonSchema(
            {
                "type": ["array", "null"],
                "maxItems": MAX_GIVEN,
                "items": {"type": "object", "description": "A CloudEvent in the JSON format."},
            }
        ),
    ] = None
    last: int | None = Field(default=None, ge=1, le=MAX_GIVEN)


class CheckItem(Schema):
    """The verdict on one event. `uid` and `receivedAt` are null for an event that was given."""

    uid: UUID | None
    index: int
    type: str
    source: str
    subject: str | None
    received_at: datetime | None
    matched: bool
    error: str | None = Field(description="What went wrong while the filter looked at this event.")
    clause: Annotated[dict[str, Any] | None, WithJsonSchema({"anyOf": [DIALECT, {"type": "null"}]})]
    detail: str | None = Field(description="With which value the clause failed.")
    saved_matched: bool | None = Field(description="The verdict of the saved filter.")


class CheckBody(Schema):
    """The verdicts, newest event first, or in the order given."""

    checked: int
    matched: int
    errors: int
    added: int = Field(description="Matched now, not by the saved filter.")
    removed: int = Field(description="Matched by the saved filter, not now.")
    items: list[CheckItem]
