"""The SQL of invitations, on the side of who accepts. A token names the project."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_INVITATION = """
    SELECT i.id, i.project_id, p.name AS project, i.email, i.role, i.invited_by, i.expires_at, i.accepted_at,
           i.expires_at <= now() AS is_over, coalesce(u.name, '') AS inviter
    FROM invitations i JOIN projects p ON p.id = i.project_id
         LEFT JOIN users u ON i.invited_by = 'user:' || u.id
    WHERE i.token_hash = $1
"""


async def invitation(on: "Connection | Pool", token_hash: bytes) -> "Record | None":
    """The invitation with that link."""
    return await on.fetchrow(_INVITATION, token_hash)


async def lock_invitation(on: "Connection", token_hash: bytes) -> "Record | None":
    """The same, locked until the transaction ends."""
    return await on.fetchrow(f"{_INVITATION} FOR UPDATE OF i", token_hash)


async def is_member(on: "Connection | Pool", project_id: UUID, user_id: UUID) -> bool:
    """Whether the user is in the project."""
    found = await on.fetchval(
        "SELECT true FROM members WHERE project_id = $1 AND user_id = $2", project_id, user_id
    )
    return bool(found)


async def insert_user(on: "Connection", user_id: UUID, *, email: str, name: str, password_hash: str) -> bool:
    """A new account. False when there is one with that address."""
    status = await on.execute(
        """
        INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, $3, $4)
        ON CONFLICT (email) DO NOTHING
        """,
        user_id,
        email,
        name,
        password_hash,
    )
    return bool(status == "INSERT 0 1")


async def insert_member(on: "Connection", project_id: UUID, user_id: UUID, role: str) -> bool:
    """A new member. False when they are one already."""
    status = await on.execute(
        """
        INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, $3)
        ON CONFLICT (project_id, user_id) DO NOTHING
        """,
        project_id,
        user_id,
        role,
    )
    return bool(status == "INSERT 0 1")


async def use(on: "Connection", invitation_id: UUID, user_id: UUID) -> None:
    """Use it up."""
    await on.execute(
        "UPDATE invitations SET accepted_at = now(), accepted_by = $2 WHERE id = $1", invitation_id, user_id
    )
