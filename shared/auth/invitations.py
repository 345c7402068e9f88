"""Invitations: links that make somebody a member of a project, once, within a week.

The project's side makes them (`functions/projects/invitations`), sign-in takes them (`functions/identity/invitations`).
"""

from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from shared.auth.access import Access
from shared.auth.giving import check_gives, role_permissions, standing
from shared.core.problems import Problem

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

LIFETIME_DAYS = 7
PAGE = "/invitation"
"""The page of the console that a link opens."""

INVITE = "members:write"


def address_of(console: str, token: str) -> str:
    """The link, at a console's address. No server sees what is behind the `#`."""
    return f"{console.rstrip('/')}{PAGE}#token={token}"


def hash_invitation(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain digest cannot be reversed."""
    return sha256(b"weir invitation " + token.encode()).digest()


async def is_open(on: "Connection | Pool", token: str) -> bool:
    """Whether that link was given out, was not used, and is not too old."""
    found = await on.fetchval(
        """
        SELECT true FROM invitations
        WHERE token_hash = $1 AND accepted_at IS NULL AND expires_at > now()
        """,
        hash_invitation(token),
    )
    return bool(found)


async def is_worth(
    connection: "Connection", project_id: UUID, project_name: str, *, invited_by: str, role: str
) -> bool:
    """Whether `invited_by`, a principal, may invite to that role now: so long is an invitation of theirs good."""
    inviter = Access(project_id, project_name, invited_by, frozenset())
    try:
        may = await standing(connection, inviter, INVITE)
        check_gives(may, await role_permissions(connection, project_id, role), "Whoever is invited")
    except Problem:
        return False
    return True
