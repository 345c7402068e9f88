"""The SQL of those who sign in elsewhere."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool


async def user_of(on: "Connection | Pool", issuer: str, subject: str) -> UUID | None:
    """Whose account that is, noting that it was used now."""
    found: UUID | None = await on.fetchval(
        "UPDATE identities SET last_used_at = now() WHERE issuer = $1 AND subject = $2 RETURNING user_id",
        issuer,
        subject,
    )
    return found


async def link(on: "Connection", issuer: str, subject: str, user_id: UUID, email: str) -> bool:
    """Have them sign in to that account from now on. False when they do to some account already."""
    status = await on.execute(
        """
        INSERT INTO identities (issuer, subject, user_id, email, last_used_at)
        VALUES ($1, $2, $3, $4, now()) ON CONFLICT (issuer, subject) DO NOTHING
        """,
        issuer,
        subject,
        user_id,
        email,
    )
    return bool(status == "INSERT 0 1")


async def insert_user(on: "Connection", user_id: UUID, email: str, name: str) -> bool:
    """A new account without a password. False when there is one with that address."""
    status = await on.execute(
        "INSERT INTO users (id, email, name) VALUES ($1, $2, $3) ON CONFLICT (email) DO NOTHING",
        user_id,
        email,
        name,
    )
    return bool(status == "INSERT 0 1")
