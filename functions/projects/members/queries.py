"""The SQL of members. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_MEMBER = """
    SELECT u.id, u.name, u.email, m.role, r.permissions, m.joined_at, m.last_seen_at,
           (SELECT count(*) FROM api_keys k
            WHERE k.project_id = m.project_id AND k.created_by = 'user:' || m.user_id AND k.revoked_at IS NULL) AS keys
    FROM members m JOIN users u ON u.id = m.user_id
         LEFT JOIN roles r ON r.project_id = m.project_id AND r.name = m.own_role
"""


async def members_of(
    on: "Connection | Pool", project_id: UUID, *, after: UUID | None, limit: int
) -> "list[Record]":
    """A project's members by name, those that follow the member `after`."""
    rows: list[Record] = await on.fetch(
        f"""
        {_MEMBER}
        WHERE m.project_id = $1
          AND ($2::uuid IS NULL OR (lower(u.name), u.id) > (SELECT lower(name), id FROM users WHERE id = $2))
        ORDER BY lower(u.name), u.id LIMIT $3
        """,
        project_id,
        after,
        limit,
    )
    return rows


async def member(on: "Connection | Pool", project_id: UUID, user_id: UUID) -> "Record | None":
    """One of them, with what an own role of theirs allows."""
    return await on.fetchrow(f"{_MEMBER} WHERE m.project_id = $1 AND m.user_id = $2", project_id, user_id)


async def project_of(on: "Connection", user_id: UUID, project_name: str) -> UUID | None:
    """The project of that name, if the user is a member of it."""
    found: UUID | None = await on.fetchval(
        """
        SELECT p.id FROM projects p JOIN members m ON m.project_id = p.id
        WHERE p.name = $2 AND m.user_id = $1
        """,
        user_id,
        project_name,
    )
    return found


async def count_owners(on: "Connection", project_id: UUID) -> int:
    """How many owners a project has."""
    found: int = await on.fetchval(
        "SELECT count(*) FROM members WHERE project_id = $1 AND role = 'owner'", project_id
    )
    return found


async def set_role(on: "Connection", project_id: UUID, user_id: UUID, role: str) -> None:
    """Give a member another role."""
    await on.execute(
        "UPDATE members SET role = $3 WHERE project_id = $1 AND user_id = $2", project_id, user_id, role
    )


async def remove(on: "Connection", project_id: UUID, user_id: UUID) -> None:
    """End a membership."""
    await on.execute("DELETE FROM members WHERE project_id = $1 AND user_id = $2", project_id, user_id)


async def revoke_keys_of(on: "Connection", project_id: UUID, user_id: UUID) -> list[str]:
    """End the API keys that a user made; their ids."""
    rows = await on.fetch(
        """
        UPDATE api_keys SET revoked_at = now()
        WHERE project_id = $1 AND created_by = 'user:' || $2::uuid AND revoked_at IS NULL RETURNING id
        """,
        project_id,
        user_id,
    )
    return [row["id"] for row in rows]
