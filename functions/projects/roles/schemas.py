"""The HTTP shapes of roles."""

from datetime import datetime

from pydantic import Field

from functions.projects.schemas import Name
from shared.runtime.schema import Ignored, Request, Schema


class RoleRequest(Request):
    """A role to be, for this project alone.

    A body that was read from here can be sent back: members that only Weir writes are ignored.
    """

    name: Name
    description: str = Field(default="", max_length=500)
    permissions: list[str] = Field(min_length=1, max_length=100)
    is_built_in: Ignored = None
    members: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class RoleReplace(RoleRequest):
    """A role as it shall be. Without a name it keeps its name; those who have the role keep it."""

    name: Name | None = None  # type: ignore[assignment]


class RoleBody(Schema):
    """A role. `members` is how many people have it; built-in ones have no times and cannot be changed."""

    name: str
    description: str
    permissions: list[str]
    is_built_in: bool
    members: int
    created_at: datetime | None
    updated_at: datetime | None


class PermissionBody(Schema):
    """A permission, and what it lets one do."""

    name: str
    description: str


class RoleList(Schema):
    """The built-in roles from the one that may do most, then the project's own by name.

    `permissions` are all that there are, to choose from.
    """

    items: list[RoleBody]
    permissions: list[PermissionBody]
    next: str | None = None
