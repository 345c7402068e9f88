"""Invitations: links that make somebody a member of a project, once, within a week.

The project's side makes them (`functions/projects/invitations`), sign-in takes them (`functions/identity/invitations`).
"""

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

LIFETIME_DAYS = 7
PAGE = "/invitation"
"""The page of the console that a link opens."""


def address_of(console: str, token: str) -> str:
    """The link, at a console's address. No server sees what is behind the `#`."""
    return f"{console.rstrip('/')}{PAGE}#token={token}"


def hash_invitation(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain digest cannot be reversed."""
    return sha256(b"weir invitation " + token.encode()).digest()


async def is_open(on: "Connection | Pool", token: str) -> bool:
    """Whether that link can be accepted still."""
    found = await on.fetchval(
        """
        SELECT true FROM invitations
        WHERE token_hash = $1 AND accepted_at IS NULL AND expires_at > now()
        """,
        hash_invitation(token),
    )
    return bool(found)
