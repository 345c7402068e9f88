"""One-time sign-in links: a random token that is handed out, and its hash that is kept."""

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from shared.auth.keys import make_token

if TYPE_CHECKING:
    from asyncpg import Connection

LIFETIME_MINUTES = 15


async def create_link(conn: "Connection", user_id: UUID) -> str:
    """A token with which `user_id` can sign in once within fifteen minutes.

    Links of the user that have ended are removed.
    """
    token = make_token()
    await conn.execute("DELETE FROM sign_in_links WHERE user_id = $1 AND expires_at < now()", user_id)
    await conn.execute(
        """
        INSERT INTO sign_in_links (token_hash, user_id, expires_at)
        VALUES ($1, $2, now() + make_interval(mins => $3))
        """,
        hash_link(token),
        user_id,
        LIFETIME_MINUTES,
    )
    return token


def address_of(url: str, token: str) -> str:
    """The link: the page of the console at `url` that signs in by `token`. No server sees what is behind the `#`."""
    return f"{url.rstrip('/')}/sign-in/link#token={token}"


class Addresses(Protocol):
    """Where things are, as `shared.runtime.settings.Settings` says."""

    @property
    def public_url(self) -> str:
        """The API's own address, at which the console is too unless it has one of its own."""
        ...

    @property
    def console_origins(self) -> tuple[str, ...]:
        """The console's own addresses."""
        ...


def console_of(settings: Addresses) -> str:
    """Where the console is that links lead to: the first of its own addresses, without one the API's."""
    return (settings.console_origins[0] if settings.console_origins else settings.public_url).rstrip("/")


def hash_link(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain digest cannot be reversed."""
    return sha256(b"weir sign-in link " + token.encode()).digest()
