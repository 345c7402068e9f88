"""Every permission there is, and the roles that are built in."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

PERMISSIONS: frozenset[str] = frozenset(
    {
        "events:write",
        "events:read",
        "subscriptions:read",
        "subscriptions:write",
        "deliveries:read",
        "deliveries:retry",
        "projects:read",
        "projects:write",
        "projects:create",
        "members:read",
        "members:write",
        "roles:write",
        "keys:read",
        "keys:write",
        "audit:read",
        "sources:read",
        "sources:write",
        "producers:read",
        "producers:write",
        "types:read",
        "types:write",
    }
)
"""What can be asked of a credential. `projects:create` concerns API keys: any user may create a project.

Whoever may read members may read roles: the one is not understood without the other.
"""

EVERYTHING = "*"
"""The scope of an API key that may do all of `PERMISSIONS`, those added later included."""

_VIEWER = frozenset(
    {
        "events:read",
        "subscriptions:read",
        "deliveries:read",
        "projects:read",
        "members:read",
        "producers:read",
        "sources:read",
        "types:read",
    }
)

ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "owner": PERMISSIONS,
        "admin": PERMISSIONS - {"projects:create"},
        "operator": _VIEWER | {"events:write", "subscriptions:write", "deliveries:retry", "types:write"},
        "viewer": _VIEWER,
    }
)
"""What a member with that role may do in the project."""

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "owner": "May do everything. A project always has one.",
        "admin": "May do everything but make projects with an API key, and appoint or remove owners.",
        "operator": "Reads everything that flows, sends events, edits subscriptions and types, retries deliveries.",
        "viewer": "Reads everything that flows, and changes nothing.",
    }
)
"""What the built-in roles are for, in a line each."""

PROJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What a project may be called; anything else names none, and is not asked of the database."""


def granted(scopes: Iterable[str]) -> frozenset[str]:
    """The permissions that an API key's scopes stand for; a scope that is no longer known gives none."""
    scopes = frozenset(scopes)
    return PERMISSIONS if EVERYTHING in scopes else PERMISSIONS & scopes


def permissions_of(role: str, own: Iterable[str] | None) -> frozenset[str]:
    """What a member with that role may do; `own` is what the project's own role of that name allows."""
    return ROLES[role] if role in ROLES else PERMISSIONS & frozenset(own or ())
