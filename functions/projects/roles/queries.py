"""The SQL of roles. Every statement carries the project."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_ROLE = """
    SELECT r.name, r.description, r.permissions, r.created_at, r.updated_at,
           (SELECT count(*) FROM members m WHERE m.project_id = r.project_id AND m.own_role = r.name) AS members
    FROM roles r
"""


async def roles_of(on: "Connection | Pool", project_id: UUID) -> "list[Record]":
    """A project's own roles, by name."""
    rows: list[Record] = await on.fetch(f"{_ROLE} WHERE r.project_id = $1 ORDER BY r.name", project_id)
    return rows


async def role(on: "Connection | Pool", project_id: UUID, name: str) -> "Record | None":
    """One of them."""
    return await on.fetchrow(f"{_ROLE} WHERE r.project_id = $1 AND r.name = $2", project_id, name)


async def count_by_role(on: "Connection | Pool", project_id: UUID) -> dict[str, int]:
    """How many members have each role."""
    rows = await on.fetch(
        "SELECT role, count(*) AS members FROM members WHERE project_id = $1 GROUP BY role", project_id
    )
    return {row["role"]: row["members"] for row in rows}


async def insert(
    on: "Connection", project_id: UUID, name: str, description: str, permissions: list[str]
) -> None:
    """A new role."""
    await on.execute(
        "INSERT INTO roles (project_id, name, description, permissions) VALUES ($1, $2, $3, $4)",
        project_id,
        name,
        description,
        permissions,
    )


async def replace(
    on: "Connection", project_id: UUID, name: str, *, new_name: str, description: str, permissions: list[str]
) -> None:
    """Change a role; those who have it, or are invited to it, go with its name."""
    await on.execute(
        """
        UPDATE roles SET name = $3, description = $4, permissions = $5, updated_at = now()
        WHERE project_id = $1 AND name = $2
        """,
        project_id,
        name,
        new_name,
        description,
        permissions,
    )
    if new_name != name:
        await on.execute(
            "UPDATE invitations SET role = $3 WHERE project_id = $1 AND role = $2 AND accepted_at IS NULL",
            project_id,
            name,
            new_name,
        )
        await on.execute(
            "UPDATE members SET role = $3 WHERE project_id = $1 AND own_role = $2", project_id, name, new_name
        )


async def delete(on: "Connection", project_id: UUID, name: str) -> None:
    """Delete a role that nobody has."""
    await on.execute("DELETE FROM roles WHERE project_id = $1 AND name = $2", project_id, name)


async def holders(on: "Connection", project_id: UUID, name: str) -> "list[Record]":
    """Who has a role of the project's own, by name."""
    rows: list[Record] = await on.fetch(
        """
        SELECT u.id, u.name FROM members m JOIN users u ON u.id = m.user_id
        WHERE m.project_id = $1 AND m.own_role = $2 ORDER BY lower(u.name), u.id
        """,
        project_id,
        name,
    )
    return rows


async def invited(on: "Connection", project_id: UUID, name: str) -> list[str]:
    """The addresses of those who were invited with a role and may still come."""
    rows = await on.fetch(
        """
        SELECT email FROM invitations
        WHERE project_id = $1 AND role = $2 AND accepted_at IS NULL AND expires_at > now() ORDER BY email
        """,
        project_id,
        name,
    )
    return [row["email"] for row in rows]
