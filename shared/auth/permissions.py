"""Every permission there is, and the roles that are built in."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "events:read": "Find and read events, their payloads included",
        "events:write": "Send events",
        "searches:write": "Save, change and delete searches; who may read what they find may read them",
        "archive:recall": "Bring archived events back",
        "types:read": "See event types, their schemas and facets",
        "types:write": "Register and change event types",
        "producers:read": "See who may send what",
        "producers:write": "Make, change and delete producers",
        "sources:read": "See sources of webhooks",
        "sources:write": "Make, change and delete sources, and their secrets",
        "subscriptions:read": "See subscriptions, and check filters against events",
        "subscriptions:write": "Make, change and delete subscriptions, and probe their sinks",
        "deliveries:read": "See deliveries and their attempts",
        "deliveries:retry": "Deliver again what was delivered or is dead, and steer replays",
        "deliveries:cancel": "Cancel deliveries that wait",
        "projects:read": "See the project and its settings",
        "projects:write": "Change the project's settings",
        "projects:create": "Make projects with an API key; any person may make one",
        "holds:write": "Put events on hold, and lift holds",
        "erasures:write": "See and order erasures of a subject's data",
        "members:read": "See members and what roles allow",
        "members:write": "Invite and remove members, and change their roles",
        "roles:write": "Make, change and delete the project's own roles",
        "keys:read": "See API keys",
        "keys:write": "Make, change, rotate and revoke API keys",
        "audit:read": "See who changed what",
    }
)
"""What each permission lets one do, in the order in which people are shown them."""

PERMISSIONS: frozenset[str] = frozenset(MEANINGS)
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
        "operator": _VIEWER
        | {
            "events:write",
            "searches:write",
            "subscriptions:write",
            "deliveries:retry",
            "deliveries:cancel",
            "types:write",
            "archive:recall",
        },
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
