"""Every permission there is, and the roles that are built in."""

from types import MappingProxyType

PERMISSIONS: frozenset[str] = frozenset(
    {
        "events:write",
        "events:read",
        "subscriptions:read",
        "subscriptions:write",
        "deliveries:read",
        "projects:read",
        "projects:write",
        "projects:create",
        "keys:read",
        "keys:write",
        "metrics:read",
    }
)
"""What can be asked of a credential. `projects:create` concerns API keys: any user may create a project."""

EVERYTHING = "*"
"""The scope of an API key that may do all of `PERMISSIONS`, those added later included."""

_READS = frozenset({name for name in PERMISSIONS if name.endswith(":read")})

ROLES: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        "owner": PERMISSIONS,
        "admin": PERMISSIONS - {"projects:create"},
        "operator": (_READS - {"keys:read", "metrics:read"}) | {"events:write", "subscriptions:write"},
        "viewer": _READS - {"keys:read", "metrics:read"},
    }
)
"""What a member with that role may do in the project."""


def granted(scopes: list[str]) -> frozenset[str]:
    """The permissions that an API key's scopes stand for; a scope that is no longer known gives none."""
    if EVERYTHING in scopes:
        return PERMISSIONS
    return PERMISSIONS.intersection(scopes)
