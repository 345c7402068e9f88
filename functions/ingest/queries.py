"""What ingest asks of projects and their sources."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncpg

TIMEOUT_SECONDS = 5


async def source(on: "asyncpg.Pool", project: str, name: str) -> "asyncpg.Record | None":
    """A source by its name and its project's."""
    return await on.fetchrow(
        """
        SELECT s.id, s.project_id, s.name, s.kind, s.settings, s.secrets_sealed, s.rate_per_second, s.burst,
               p.rate_per_second AS project_rate, p.burst AS project_burst
        FROM projects p JOIN sources s ON s.project_id = p.id WHERE p.name = $1 AND s.name = $2
        """,
        project,
        name,
        timeout=TIMEOUT_SECONDS,
    )


async def project_named(on: "asyncpg.Pool", name: str) -> "list[asyncpg.Record]":
    """A project, once for each of its producers that has an issuer, by their names; once if none has."""
    rows: list[asyncpg.Record] = await on.fetch(
        """
        SELECT p.id AS project_id, p.name AS project_name, p.allowed_origins,
               p.rate_per_second AS project_rate, p.burst AS project_burst,
               o.id, o.name, o.sources, o.types, o.rate_per_second, o.burst, o.issuer, o.audience, o.subject
        FROM projects p LEFT JOIN producers o ON o.project_id = p.id AND o.issuer IS NOT NULL
        WHERE p.name = $1 ORDER BY o.name
        """,
        name,
        timeout=TIMEOUT_SECONDS,
    )
    return rows
