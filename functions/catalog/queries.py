"""The SQL of event types and their schemas. Every statement carries the project."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Record


async def bump_intake(conn: "Connection", project_id: UUID) -> bool:
    """Say that what ingest goes by changes. The row stays locked, so that changes come one by one."""
    row = await conn.fetchval(
        "UPDATE projects SET intake_version = intake_version + 1 WHERE id = $1 RETURNING intake_version",
        project_id,
    )
    return row is not None


async def types(conn: "Connection", project_id: UUID, after: str | None, limit: int) -> "list[Record]":
    """A page of types in their order, each with its newest version."""
    return list(
        await conn.fetch(
            """
            SELECT t.type, t.description, t.schema_mode, t.facets, t.created_at, t.updated_at, s.version
            FROM event_types t
            LEFT JOIN LATERAL (
                SELECT version FROM event_schemas
                WHERE project_id = t.project_id AND type = t.type ORDER BY version DESC LIMIT 1
            ) s ON true
            WHERE t.project_id = $1 AND ($2::text IS NULL OR t.type > $2) ORDER BY t.type LIMIT $3
            """,
            project_id,
            after,
            limit,
        )
    )


async def count_types(conn: "Connection", project_id: UUID) -> int:
    """How many types the project has registered."""
    return int(await conn.fetchval("SELECT count(*) FROM event_types WHERE project_id = $1", project_id))


async def event_type(conn: "Connection", project_id: UUID, type_: str) -> "Record | None":
    """One of the project's types."""
    return await conn.fetchrow(
        """
        SELECT type, description, schema_mode, facets, created_at, updated_at FROM event_types
        WHERE project_id = $1 AND type = $2
        """,
        project_id,
        type_,
    )


async def put_type(
    conn: "Connection",
    project_id: UUID,
    type_: str,
    *,
    description: str | None,
    schema_mode: str,
    facets: dict[str, str],
) -> None:
    """Make the type, or change it."""
    await conn.execute(
        """
        INSERT INTO event_types (project_id, type, description, schema_mode, facets) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (project_id, type) DO UPDATE SET
            description = excluded.description, schema_mode = excluded.schema_mode, facets = excluded.facets,
            updated_at = now()
        """,
        project_id,
        type_,
        description,
        schema_mode,
        facets,
    )


async def touch_type(conn: "Connection", project_id: UUID, type_: str) -> None:
    """Say that the type has changed now."""
    await conn.execute(
        "UPDATE event_types SET updated_at = now() WHERE project_id = $1 AND type = $2", project_id, type_
    )


async def delete_type(conn: "Connection", project_id: UUID, type_: str) -> bool:
    """Whether the type was there until now. Its schemas go with it."""
    status = await conn.execute(
        "DELETE FROM event_types WHERE project_id = $1 AND type = $2", project_id, type_
    )
    return bool(status == "DELETE 1")


async def versions(conn: "Connection", project_id: UUID, type_: str) -> "list[Record]":
    """The versions of a type's schema without their texts, the first one first."""
    return list(
        await conn.fetch(
            """
            SELECT version, dataschema, digest, created_at FROM event_schemas
            WHERE project_id = $1 AND type = $2 ORDER BY version
            """,
            project_id,
            type_,
        )
    )


async def schemas(conn: "Connection", project_id: UUID, type_: str) -> "list[Record]":
    """The versions with their texts, the first one first."""
    return list(
        await conn.fetch(
            """
            SELECT version, dataschema, schema, created_at FROM event_schemas
            WHERE project_id = $1 AND type = $2 ORDER BY version
            """,
            project_id,
            type_,
        )
    )


async def schema(conn: "Connection", project_id: UUID, type_: str, version: int | None) -> "Record | None":
    """A version with its text; None asks for the newest."""
    return await conn.fetchrow(
        """
        SELECT version, dataschema, schema, created_at FROM event_schemas
        WHERE project_id = $1 AND type = $2 AND ($3::int IS NULL OR version = $3)
        ORDER BY version DESC LIMIT 1
        """,
        project_id,
        type_,
        version,
    )


async def insert_schema(
    conn: "Connection",
    project_id: UUID,
    type_: str,
    *,
    version: int,
    dataschema: str | None,
    text: str,
    digest: bytes,
) -> None:
    """Keep a new version."""
    await conn.execute(
        """
        INSERT INTO event_schemas (project_id, type, version, dataschema, schema, digest)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        project_id,
        type_,
        version,
        dataschema,
        text,
        digest,
    )
