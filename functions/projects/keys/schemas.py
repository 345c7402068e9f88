"""The HTTP shapes of API keys."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import AwareDatetime, Field

from functions.projects.schemas import Pattern
from shared.runtime.schema import Ignored, Named, Request, Schema

State = Annotated[
    Literal["active", "revoked"],
    Query(description="Those that are not revoked, expired ones included, or those that are."),
]
Search = Annotated[
    str | None,
    Query(
        max_length=100, description="Only those with this in their name or a scope, or whose id begins so."
    ),
]


class KeyRequest(Request):
    """An API key to be. `sources` and `types` are patterns with `*`; none means any.

    A key of a `producer` may send what both allow, and shares the producer's limit.
    """

    name: Annotated[str, Field(min_length=1, max_length=100), Named]
    scopes: list[str] = Field(min_length=1, max_length=50)
    sources: list[Pattern] = Field(default_factory=list, max_length=50)
    types: list[Pattern] = Field(default_factory=list, max_length=50)
    expires_at: AwareDatetime | None = None
    producer: str | None = Field(default=None, max_length=63, description="The name of a producer.")


class KeyReplace(KeyRequest):
    """An API key as it shall be; its secret stays. What is absent gets its default: no pattern, no expiry.

    A body that was read from here can be sent back: members that only Weir writes are ignored.
    """

    id: Ignored = None
    created_at: Ignored = None
    created_by: Ignored = None
    last_used_at: Ignored = None
    last_used_from: Ignored = None
    revoked_at: Ignored = None
    previous_expires_at: Ignored = None
    previous_used_at: Ignored = None


class RotateRequest(Request):
    """For how long the secret before works beside the new one."""

    overlap: str = Field(
        default="P1D",
        max_length=40,
        description="An ISO 8601 duration up to P90D; PT0S ends the secret before at once.",
    )


class CreatorBody(Schema):
    """Who made a key. Of somebody who is gone only the id is left."""

    kind: Literal["user", "key"]
    id: str
    name: str | None


class KeyBody(Schema):
    """An API key; its text is not kept.

    After a rotation the secret before works until `previousExpiresAt`, and `previousUsedAt` is when it was last
    used. `lastUsedFrom` is the address of the last use; uses are noted once a minute.
    """

    id: str
    name: str
    scopes: list[str]
    sources: list[str]
    types: list[str]
    producer: str | None
    created_at: datetime
    created_by: CreatorBody | None
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None
    previous_expires_at: datetime | None
    previous_used_at: datetime | None


class IssuedKeyBody(KeyBody):
    """An API key with its text, this once."""

    key: str


class KeyList(Schema):
    """API keys, newest first."""

    items: list[KeyBody]
    next: str | None = None
