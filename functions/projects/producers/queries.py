"""The SQL of producers. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

    from functions.projects.producers.draft import Draft

_COLUMNS = """
    id, name, sources, types, rate_per_second, burst, issuer, audience, subject, created_at, updated_at
"""


async def producers_of(
    on: "Connection | Pool", project_id: UUID, *, after: UUID | None, limit: int
) -> "list[Record]":
    """A project's producers by name, those that follow the producer `after`."""
    rows: list[Record] = await on.fetch(
        f"""
        SELECT {_COLUMNS} FROM producers
        WHERE project_id = $1
          AND ($2::uuid IS NULL OR name > (SELECT name FROM producers WHERE project_id = $1 AND id = $2))
        ORDER BY name LIMIT $3
        """,
        project_id,
        after,
        limit,
    )
    return rows


async def producer(on: "Connection | Pool", project_id: UUID, name: str) -> "Record | None":
    """One of the project's."""
    return await on.fetchrow(
        f"SELECT {_COLUMNS} FROM producers WHERE project_id = $1 AND name = $2", project_id, name
    )


async def insert(
    on: "Connection", project_id: UUID, producer_id: UUID, name: str, draft: "Draft"
) -> "Record":
    """The new row. Raises asyncpg.UniqueViolationError when the name is taken."""
    row = await on.fetchrow(
        f"""
        INSERT INTO producers
            (id, project_id, name, sources, types, rate_per_second, burst, issuer, audience, subject)
        VALUES ($2, $1, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING {_COLUMNS}
        """,
        project_id,
        producer_id,
        name,
        *draft.columns,
    )
    assert row is not None
    return row


async def replace(
    on: "Connection", project_id: UUID, producer_id: UUID, name: str, draft: "Draft"
) -> "Record":
    """The changed row. Raises asyncpg.UniqueViolationError when the name is another's."""
    row = await on.fetchrow(
        f"""
        UPDATE producers
        SET name = $3, sources = $4, types = $5, rate_per_second = $6, burst = $7, issuer = $8,
            audience = $9, subject = $10, updated_at = now()
        WHERE project_id = $1 AND id = $2 RETURNING {_COLUMNS}
        """,
        project_id,
        producer_id,
        name,
        *draft.columns,
    )
    assert row is not None
    return row


async def keys_of(on: "Connection", project_id: UUID, producer_id: UUID) -> list[str]:
    """The ids of a producer's API keys."""
    rows = await on.fetch(
        "SELECT id FROM api_keys WHERE project_id = $1 AND producer_id = $2", project_id, producer_id
    )
    return [row["id"] for row in rows]


async def delete(on: "Connection", project_id: UUID, producer_id: UUID) -> None:
    """Delete a producer and, with it, its API keys."""
    await on.execute("DELETE FROM producers WHERE project_id = $1 AND id = $2", project_id, producer_id)
