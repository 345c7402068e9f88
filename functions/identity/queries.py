"""The SQL of sign-in."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def user_by_id(on: "Connection | Pool", user_id: UUID) -> "Record | None":
    """A user, whose password hash included."""
    return await on.fetchrow("SELECT id, email, name, password_hash FROM users WHERE id = $1", user_id)


async def user_by_email(on: "Connection | Pool", email: str) -> "Record | None":
    """A user; e-mail addresses are kept in lower case."""
    return await on.fetchrow("SELECT id, email, name, password_hash FROM users WHERE email = $1", email)


async def set_password_hash(
    on: "Connection | Pool", user_id: UUID, new_hash: str, *, in_place_of: str | None
) -> bool:
    """Exchange a password hash, unless somebody else has exchanged it meanwhile."""
    status = await on.execute(
        "UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $3",
        user_id,
        new_hash,
        in_place_of,
    )
    return bool(status == "UPDATE 1")


async def link_owner(on: "Connection | Pool", token_hash: bytes) -> UUID | None:
    """Whose unused, unexpired link this is."""
    found: UUID | None = await on.fetchval(
        """
        SELECT user_id FROM sign_in_links
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
        """,
        token_hash,
    )
    return found


async def use_link(on: "Connection | Pool", token_hash: bytes) -> bool:
    """Use a link up. Of any number of calls at the same time, one gets True."""
    status = await on.execute(
        """
        UPDATE sign_in_links SET used_at = now()
        WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
        """,
        token_hash,
    )
    return bool(status == "UPDATE 1")


async def drop_links(on: "Connection", user_id: UUID) -> None:
    """Have no link sign the user in that was given out until now."""
    await on.execute("DELETE FROM sign_in_links WHERE user_id = $1", user_id)


async def memberships(on: "Connection | Pool", user_id: UUID) -> "list[Record]":
    """The user's projects by name, with their role in each and what an own role allows."""
    rows: list[Record] = await on.fetch(
        """
        SELECT p.name, m.role, r.permissions
        FROM members m JOIN projects p ON p.id = m.project_id
             LEFT JOIN roles r ON r.project_id = m.project_id AND r.name = m.own_role
        WHERE m.user_id = $1 ORDER BY p.name
        """,
        user_id,
    )
    return rows


async def rename_user(on: "Connection", user_id: UUID, name: str) -> None:
    """Give a user another name."""
    await on.execute("UPDATE users SET name = $2 WHERE id = $1", user_id, name)
