"""The HTTP shapes of projects and API keys."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

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
