"""The SQL of saved searches. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from shared.db.project_pool import ProjectPool

_COLUMNS = "id, name, page, query, created_at, updated_at"


async def searches_of(
    on: "ProjectPool", project_id: UUID, *, page: str | None, after: UUID | None, limit: int
) -> "list[Record]":
    """A project's searches by name, of that page or of all, those that follow the search `after`."""
    return await on.fetch(
        f"""
        SELECT {_COLUMNS} FROM saved_searches
        WHERE project_id = $1 AND ($2::text IS NULL OR page = $2)
          AND ($3::uuid IS NULL OR name > (SELECT name FROM saved_searches WHERE project_id = $1 AND id = $3))
        ORDER BY name LIMIT $4
        """,
        project_id,
        page,
        after,
        limit,
    )


async def count(on: "Connection", project_id: UUID) -> int:
    """How many a project has."""
    found: int = await on.fetchval("SELECT count(*) FROM saved_searches WHERE project_id = $1", project_id)
    return found


async def search(
    on: "Connection | ProjectPool", project_id: UUID, search_id: UUID, *, lock: bool = False
) -> "Record | None":
    """One of the project's."""
    return await on.fetchrow(
        f"SELECT {_COLUMNS} FROM saved_searches WHERE project_id = $1 AND id = $2"
        f" {'FOR UPDATE' if lock else ''}",
        project_id,
        search_id,
    )


async def is_taken(on: "Connection", project_id: UUID, name: str) -> bool:
    """Whether a search of the project has that name."""
    return bool(
        await on.fetchval(
            "SELECT EXISTS (SELECT FROM saved_searches WHERE project_id = $1 AND name = $2)", project_id, name
        )
    )


async def insert(
    on: "Connection", project_id: UUID, search_id: UUID, *, name: str, page: str, query: dict[str, Any]
) -> "Record":
    """The new row. Raises asyncpg.UniqueViolationError when the name is taken."""
    row = await on.fetchrow(
        f"""
        INSERT INTO saved_searches (id, project_id, name, page, query) VALUES ($2, $1, $3, $4, $5)
        RETURNING {_COLUMNS}
        """,
        project_id,
        search_id,
        name,
        page,
        query,
    )
    assert row is not None
    return row


async def replace(
    on: "Connection", project_id: UUID, search_id: UUID, *, name: str, page: str, query: dict[str, Any]
) -> "Record":
    """The changed row. Raises asyncpg.UniqueViolationError when the name is another's."""
    row = await on.fetchrow(
        f"""
        UPDATE saved_searches SET name = $3, page = $4, query = $5, updated_at = now()
        WHERE project_id = $1 AND id = $2 RETURNING {_COLUMNS}
        """,
        project_id,
        search_id,
        name,
        page,
        query,
    )
    assert row is not None
    return row


async def delete(on: "Connection", project_id: UUID, search_id: UUID) -> None:
    """Delete one."""
    await on.execute("DELETE FROM saved_searches WHERE project_id = $1 AND id = $2", project_id, search_id)
