"""The SQL of sources. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_COLUMNS = "id, name, kind, settings, secrets_sealed, rate_per_second, burst, created_at, updated_at"


async def sources(
    on: "Connection | Pool", project_id: UUID, *, after: UUID | None, limit: int
) -> "list[Record]":
    """A project's sources by name, those that follow the source `after`."""
    rows: list[Record] = await on.fetch(
        f"""
        SELECT {_COLUMNS} FROM sources
        WHERE project_id = $1 AND ($2::uuid IS NULL OR name > (SELECT name FROM sources WHERE project_id = $1 AND id = $2))
        ORDER BY name LIMIT $3
        """,
        project_id,
        after,
        limit,
    )
    return rows


async def source(on: "Connection | Pool", project_id: UUID, name: str) -> "Record | None":
    """One of the project's."""
    return await on.fetchrow(
        f"SELECT {_COLUMNS} FROM sources WHERE project_id = $1 AND name = $2", project_id, name
    )


async def insert(
    on: "Connection",
    *,
    source_id: UUID,
    project_id: UUID,
    name: str,
    kind: str,
    settings: dict[str, Any],
    secrets_sealed: bytes | None,
    rate_per_second: int | None,
    burst: int | None,
) -> "Record | None":
    """The new row, or None when the name is taken."""
    return await on.fetchrow(
        f"""
        INSERT INTO sources (id, project_id, name, kind, settings, secrets_sealed, rate_per_second, burst)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (project_id, name) DO NOTHING RETURNING {_COLUMNS}
        """,
        source_id,
        project_id,
        name,
        kind,
        settings,
        secrets_sealed,
        rate_per_second,
        burst,
    )


async def replace(
    on: "Connection",
    *,
    source_id: UUID,
    project_id: UUID,
    kind: str,
    settings: dict[str, Any],
    secrets_sealed: bytes | None,
    rate_per_second: int | None,
    burst: int | None,
) -> "Record":
    """The changed row."""
    return await on.fetchrow(
        f"""
        UPDATE sources SET kind = $3, settings = $4, secrets_sealed = $5, rate_per_second = $6, burst = $7,
            updated_at = now()
        WHERE project_id = $1 AND id = $2 RETURNING {_COLUMNS}
        """,
        project_id,
        source_id,
        kind,
        settings,
        secrets_sealed,
        rate_per_second,
        burst,
    )


async def set_secrets(
    on: "Connection", project_id: UUID, source_id: UUID, secrets_sealed: bytes | None
) -> "Record":
    """The row with other secrets."""
    return await on.fetchrow(
        f"""
        UPDATE sources SET secrets_sealed = $3, updated_at = now()
        WHERE project_id = $1 AND id = $2 RETURNING {_COLUMNS}
        """,
        project_id,
        source_id,
        secrets_sealed,
    )


async def delete(on: "Connection", project_id: UUID, name: str) -> "Record | None":
    """The source that the project had until now."""
    return await on.fetchrow(
        f"DELETE FROM sources WHERE project_id = $1 AND name = $2 RETURNING {_COLUMNS}", project_id, name
    )
