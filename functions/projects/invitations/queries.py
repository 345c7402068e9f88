"""The SQL of invitations, on the project's side. Every statement carries the project."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_INVITATION = """
    SELECT i.id, i.email, i.role, i.invited_by, i.created_at, i.expires_at, i.expires_at <= now() AS is_over,
           coalesce(u.name, k.name, '') AS inviter
    FROM invitations i
         LEFT JOIN users u ON i.invited_by = 'user:' || u.id
         LEFT JOIN api_keys k ON k.project_id = i.project_id AND i.invited_by = 'key:' || k.id
"""


async def open_invitations(
    on: "Connection | Pool", project_id: UUID, *, after: UUID | None, limit: int
) -> "list[Record]":
    """A project's invitations that nobody has accepted, newest first, those that follow the one `after`."""
    rows: list[Record] = await on.fetch(
        f"""
        {_INVITATION}
        WHERE i.project_id = $1 AND i.accepted_at IS NULL AND ($2::uuid IS NULL OR i.id < $2)
        ORDER BY i.id DESC LIMIT $3
        """,
        project_id,
        after,
        limit,
    )
    return rows


async def invitation(on: "Connection | Pool", project_id: UUID, invitation_id: UUID) -> "Record | None":
    """One of them."""
    return await on.fetchrow(
        f"{_INVITATION} WHERE i.project_id = $1 AND i.id = $2 AND i.accepted_at IS NULL",
        project_id,
        invitation_id,
    )


async def is_member(on: "Connection", project_id: UUID, email: str) -> bool:
    """Whether somebody with that address is in the project."""
    found = await on.fetchval(
        """
        SELECT true FROM members m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1 AND u.email = $2
        """,
        project_id,
        email,
    )
    return bool(found)


async def is_invited(on: "Connection", project_id: UUID, email: str) -> bool:
    """Whether an invitation to that address is open."""
    found = await on.fetchval(
        """
        SELECT true FROM invitations
        WHERE project_id = $1 AND email = $2 AND accepted_at IS NULL AND expires_at > now() LIMIT 1
        """,
        project_id,
        email,
    )
    return bool(found)


async def drop_expired(on: "Connection", project_id: UUID, email: str) -> None:
    """Remove what is in the way of another invitation to that address."""
    await on.execute(
        """
        DELETE FROM invitations
        WHERE project_id = $1 AND email = $2 AND accepted_at IS NULL AND expires_at <= now()
        """,
        project_id,
        email,
    )


async def insert_invitation(
    on: "Connection",
    *,
    invitation_id: UUID,
    project_id: UUID,
    email: str,
    role: str,
    token_hash: bytes,
    invited_by: str,
    days: int,
) -> None:
    """Keep a new one."""
    await on.execute(
        """
        INSERT INTO invitations (id, project_id, email, role, token_hash, invited_by, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))
        """,
        invitation_id,
        project_id,
        email,
        role,
        token_hash,
        invited_by,
        days,
    )


async def renew(
    on: "Connection", project_id: UUID, invitation_id: UUID, *, token_hash: bytes, invited_by: str, days: int
) -> bool:
    """Give it another link, in somebody's name. False when it is not there, or was accepted meanwhile."""
    status = await on.execute(
        """
        UPDATE invitations
        SET token_hash = $3, invited_by = $4, expires_at = now() + make_interval(days => $5)
        WHERE project_id = $1 AND id = $2 AND accepted_at IS NULL
        """,
        project_id,
        invitation_id,
        token_hash,
        invited_by,
        days,
    )
    return bool(status == "UPDATE 1")


async def delete(on: "Connection", project_id: UUID, invitation_id: UUID) -> bool:
    """Whether it was there, and not accepted."""
    status = await on.execute(
        "DELETE FROM invitations WHERE project_id = $1 AND id = $2 AND accepted_at IS NULL",
        project_id,
        invitation_id,
    )
    return bool(status == "DELETE 1")
