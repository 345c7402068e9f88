"""The HTTP shapes of members."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from shared.runtime.schema import Ignored, Request, Schema

RevokeKeys = Annotated[
    bool,
    Query(
        alias="revokeKeys",
        description="Revoke the API keys that they made as well; they go on working otherwise.",
    ),
]


class MemberRequest(Request):
    """The role that a member shall have: a built-in one, or one of the project's own.

    A body that was read from here can be sent back: members that only Weir writes are ignored.
    """

    role: str = Field(min_length=1, max_length=63)
    id: Ignored = None
    name: Ignored = None
    email: Ignored = None
    joined_at: Ignored = None
    last_seen_at: Ignored = None
    keys: Ignored = None


class MemberBody(Schema):
    """A person in a project.

    `joinedAt` is null for those who were there before Weir kept it. `lastSeenAt` is noted once a minute. `keys` is
    how many API keys of theirs are not revoked.
    """

    id: UUID
    name: str
    email: str
    role: str
    joined_at: datetime | None
    last_seen_at: datetime | None
    keys: int


class MemberList(Schema):
    """Members by name."""

    items: list[MemberBody]
    next: str | None = None
