"""A subscription as it is kept, and what a client says of one."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, WithJsonSchema

from functions.subscriptions.schemas.members import GIVEN_POLICY, Auth, Filters, Selection, Tls, Transform
from shared.core.signing import MAX_SECRETS
from shared.runtime.schema import Ignored, Schema

State = Literal["active", "paused", "disabled"]


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


class _Given(Selection):
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
