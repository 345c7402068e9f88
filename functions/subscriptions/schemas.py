"""The HTTP shapes of subscriptions."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from functions.subscriptions.draft import MAX_EXPRESSION
from shared.core.delivery import (
    DEFAULT,
    MAX_BATCH,
    MAX_DURATION_SECONDS,
    MAX_IN_FLIGHT,
    MAX_RATE,
    MAX_RETRY,
    MAX_TIMEOUT_SECONDS,
    policy_json,
)
from shared.core.durations import format_duration
from shared.core.overrides import MAX_EXTENSIONS
from shared.core.signing import MAX_SECRETS
from shared.core.sink_headers import MAX_HEADERS, MAX_VALUE
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
        "sql": {
            "type": "string",
            "minLength": 1,
            "description": "A CloudEvents SQL expression on context attributes; `cesql` is the same.",
        },
        "cesql": {"type": "string", "minLength": 1, "description": "Knative's name of `sql`."},
        "cel": {
            "type": "string",
            "minLength": 1,
            "description": "A CEL expression on `event`, the context attributes, and `data`.",
        },
    },
}

KNATIVE_FILTER: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Knative's way: attributes and the text each must be, an empty text for any. "
    "Becomes `filters`, and counts only without those.",
    "additionalProperties": False,
    "properties": {
        "attributes": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[a-z0-9]*[a-z][a-z0-9]*$"},
            "additionalProperties": {"type": "string"},
        }
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
    "batchSize": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": MAX_BATCH,
        "description": "Above 1 every request is a batch in the JSON batch format of at most so many events.",
    },
    "headers": {
        "type": ["object", "null"],
        "maxProperties": MAX_HEADERS,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE},
        "description": "Sent with every request. Shown again: what is secret belongs into `auth`.",
    },
    "ceOverrides": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "extensions": {
                "type": ["object", "null"],
                "maxProperties": MAX_EXTENSIONS,
                "propertyNames": {"pattern": "^[a-z0-9]+$"},
                "additionalProperties": {"type": "string", "minLength": 1},
            }
        },
        "description": "Extensions that are set on every event on its way to the sink.",
    },
    "replies": {
        "type": ["boolean", "null"],
        "description": "Whether an event in a 200 is taken in as one of the project's.",
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


def _text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _auth(kind: str, required: tuple[str, ...], **members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", *required],
        "properties": {"type": {"const": kind}, **members},
    }


def _secret(description: str) -> dict[str, Any]:
    return {**_text(description), "writeOnly": True, "minLength": 1}


_OPTIONAL: dict[str, Any] = {"type": ["string", "null"]}

AUTH: dict[str, Any] = {
    "description": "The credential that goes with every request to the sink. Its secret is never shown.",
    "anyOf": [
        _auth("bearer", (), token=_secret("Sent as `Authorization: Bearer`.")),
        _auth(
            "basic",
            ("username",),
            username=_text("Without a colon."),
            password=_secret("As RFC 7617 has it."),
        ),
        _auth("header", ("name",), name=_text("A header."), value=_secret("Its value.")),
        _auth(
            "oauth2",
            ("tokenUrl", "clientId"),
            tokenUrl=_text("Where a token is had for client credentials (RFC 6749, 4.4).", format="uri"),
            clientId=_text(),
            clientSecret=_secret("Of the client."),
            scope=_OPTIONAL,
            audience=_OPTIONAL,
            clientAuthentication={
                "type": ["string", "null"],
                "enum": ["basic", "post", None],
                "description": "Where the client's credential stands: in the header (default) or in the body.",
            },
        ),
        {"type": "null"},
    ],
}

TLS: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Who Weir says it is in TLS, and whom it trusts. All in PEM.",
    "additionalProperties": False,
    "properties": {
        "certificate": {**_OPTIONAL, "description": "The client's certificate, and the chain behind it."},
        "privateKey": {**_OPTIONAL, "writeOnly": True, "description": "Its key, not encrypted. Never shown."},
        "ca": {**_OPTIONAL, "description": "Those who may have signed the sink's; the system's when absent."},
        "subject": {**_OPTIONAL, "readOnly": True, "description": "Whom the certificate names."},
        "expiresAt": {"type": ["string", "null"], "format": "date-time", "readOnly": True},
    },
}

TRANSFORM: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "What is sent instead of the event: JSONata on the event in the JSON format.",
    "additionalProperties": False,
    "required": ["jsonata"],
    "properties": {"jsonata": _text(minLength=1, maxLength=MAX_EXPRESSION)},
}

Auth = Annotated[Any, WithJsonSchema(AUTH)]
Tls = Annotated[Any, WithJsonSchema(TLS)]
Transform = Annotated[Any, WithJsonSchema(TRANSFORM)]
Filters = Annotated[Any, WithJsonSchema(FILTERS)]


class OverridesBody(Schema):
    """Extensions that are set on every event on its way."""

    extensions: dict[str, str]


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
    batch_size: int
    headers: dict[str, str]
    ce_overrides: OverridesBody
    replies: bool


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
    auth: Auth
    tls: Tls
    transform: Transform
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


class _Selection(Request):
    """Which events are wanted: all of it must hold."""

    filters: Annotated[Any, WithJsonSchema({**FILTERS, "default": []})] = None
    filter: Annotated[Any, WithJsonSchema(KNATIVE_FILTER)] = None
    source: Annotated[
        Any,
        WithJsonSchema(
            {"type": ["string", "null"], "minLength": 1, "description": "Only events of this source."}
        ),
    ] = None
    types: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": ["array", "null"],
                "items": {"type": "string", "minLength": 1},
                "description": "Only events of these types.",
            }
        ),
    ] = None


class _Given(_Selection):
    """What a client says of a subscription.

    A body that was read from here can be sent back: members that only Weir writes are ignored.
    """

    name: str | None = Field(default=None, max_length=200, description="Unique in the project.")
    sink: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": "string",
                "format": "uri",
                "pattern": "^([hH][tT][tT][pP][sS]?://|env:K_SINK$)",
                "description": "An http or https URL without user, password and fragment; or `env:K_SINK`, "
                "the address that is in the environment of dispatch.",
            }
        ),
    ]
    delivery: Annotated[Any, WithJsonSchema(GIVEN_POLICY)] = None
    auth: Auth = None
    tls: Tls = None
    transform: Transform = None
    protocol: Literal["HTTP"] | None = Field(
        default=None, description="How events get there (CloudEvents Subscriptions API): there is one way."
    )
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
    """A subscription as it shall be. An absent name, state, `auth`, `tls` or `transform` stays as it is.

    A secret that is absent from `auth` or `tls` is kept where they are otherwise the same credential, and the
    sink is on the same host.
    """

    signing_secrets: Secrets = Field(
        default=None,
        description="The secrets to use from now on. Absent or empty keeps those there are; null takes them away.",
    )


class CheckRequest(_Selection):
    """A filter to try, and what to try it on: `events`, or the `last` stored ones (500 when neither is given)."""

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


class TransformRequest(Request):
    """A transform to try, and what to try it on: `event`, or the stored one with that `uid`."""

    transform: Transform = None
    event: Annotated[
        dict[str, Any] | None,
        WithJsonSchema({"type": ["object", "null"], "description": "A CloudEvent in the JSON format."}),
    ] = None
    uid: UUID | None = None


class TransformProblem(Schema):
    """Why there is no result."""

    detail: str
    position: int | None = Field(description="Counts characters of the expression.")


class TransformBody(Schema):
    """What would be sent; without `error`, an `event` that is null is not sent at all."""

    event: dict[str, Any] | None
    error: TransformProblem | None


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


class CheckWarning(Schema):
    """What can be used, but may not mean what was meant."""

    pointer: str
    detail: str


class CheckBody(Schema):
    """The verdicts, newest event first, or in the order given."""

    checked: int
    matched: int
    errors: int
    added: int = Field(description="Matched now, not by the saved filter.")
    removed: int = Field(description="Matched by the saved filter, not now.")
    complete: bool = Field(
        description="False when older events were left out: too much data, or too much time, for one answer."
    )
    warnings: list[CheckWarning] = Field(description="What the filter may not have been meant to say.")
    items: list[CheckItem]
