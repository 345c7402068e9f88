"""The SQL of projects."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def projects_of(
    on: "Connection | Pool", user_id: UUID, *, after: UUID | None, limit: int
) -> "list[Record]":
    """A user's projects by name, those that follow the project `after`."""
    rows: list[Record] = await on.fetch(
        """
        SELECT p.id, p.name, p.created_at FROM members m JOIN projects p ON p.id = m.project_id
        WHERE m.user_id = $1 AND ($2::uuid IS NULL OR p.name > (SELECT name FROM projects WHERE id = $2))
        ORDER BY p.name LIMIT $3
        """,
        user_id,
        after,
        limit,
    )
    return rows


async def project_by_id(on: "Connection | Pool", project_id: UUID) -> "Record | None":
    """A project."""
    return await on.fetchrow("SELECT id, name, created_at FROM projects WHERE id = $1", project_id)


async def insert_project(on: "Connection", project_id: UUID, name: str) -> "Record | None":
    """A new project, or None when the name is taken."""
    return await on.fetchrow(
        """
        INSERT INTO projects (id, name) VALUES ($1, $2)
        ON CONFLICT (name) DO NOTHING RETURNING id, name, created_at
        """,
        project_id,
        name,
    )


async def insert_owner(on: "Connection", project_id: UUID, user_id: UUID) -> None:
    """Make a user an owner."""
    await on.execute(
        "INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, 'owner')", project_id, user_id
    )


async def copy_owners(on: "Connection", project_id: UUID, of: UUID) -> None:
    """Make the owners of the project `of` owners of another."""
    await on.execute(
        """
        INSERT INTO members (project_id, user_id, role)
        SELECT $1, user_id, 'owner' FROM members WHERE project_id = $2 AND role = 'owner'
        """,
        project_id,
        of,
    )


async def owners(on: "Connection", project_id: UUID) -> "list[Record]":
    """Who owns a project."""
    rows: list[Record] = await on.fetch(
        """
        SELECT u.id, u.name, u.email FROM members m JOIN users u ON u.id = m.user_id
        WHERE m.project_id = $1 AND m.role = 'owner' ORDER BY u.id
        """,
        project_id,
    )
    return rows


async def key_ends(on: "Connection", project_id: UUID, key_id: str) -> datetime | None:
    """When an API key expires; None for never."""
    found: datetime | None = await on.fetchval(
        "SELECT expires_at FROM api_keys WHERE project_id = $1 AND id = $2", project_id, key_id
    )
    return found


async def bump_intake(on: "Connection", project_id: UUID) -> bool:
    """Say that what the project takes in changes; whether it is there.

    Its row stays locked, so that changes come one by one.
    """
    status = await on.execute(
        "UPDATE projects SET intake_version = intake_version + 1 WHERE id = $1", project_id
    )
    return bool(status == "UPDATE 1")
