"""The HTTP shapes of projects and API keys."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.runtime.schema import Request, Schema, Spelled

Name = Annotated[
    str,
    Field(max_length=63),
    Spelled(
        r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "must be of lower-case letters and digits, with - inside"
    ),
]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Rate = Annotated[int, Field(ge=1, le=1_000_000, description="Events a second.")]
Burst = Annotated[int, Field(ge=1, le=10_000_000, description="Events that may come at once.")]


class ProjectRequest(Request):
    """A project to be. The name is part of every address below it."""

    name: Name


class ProjectBody(Schema):
    """A project."""

    id: UUID
    name: str
    created_at: datetime


class CreatedProjectBody(ProjectBody):
    """A new project; `apiKey` is there when an API key made it, since its own key opens only its project."""

    api_key: str | None = None


class ProjectList(Schema):
    """Projects by name."""

    items: list[ProjectBody]
    next: str | None = None


class KeyRequest(Request):
    """An API key to be. `sources` and `types` are patterns with `*`; none means any.

    A key of a `producer` may send what both allow, and shares the producer's limit.
    """

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(min_length=1, max_length=50)
    sources: list[Pattern] = Field(default_factory=list, max_length=50)
    types: list[Pattern] = Field(default_factory=list, max_length=50)
    expires_at: AwareDatetime | None = None
    producer: str | None = Field(default=None, max_length=63, description="The name of a producer.")


class KeyBody(Schema):
    """An API key; its text is not kept."""

    id: str
    name: str
    scopes: list[str]
    sources: list[str]
    types: list[str]
    producer: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class CreatedKeyBody(KeyBody):
    """A new API key with its text, this once."""

    key: str


class KeyList(Schema):
    """API keys, newest first."""

    items: list[KeyBody]
    next: str | None = None
