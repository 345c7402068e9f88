"""The SQL of a project's settings."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def settings_of(on: "Connection | Pool", project_id: UUID) -> "Record | None":
    """What a project has set."""
    return await on.fetchrow(
        "SELECT rate_per_second, burst, allowed_origins FROM projects WHERE id = $1", project_id
    )


async def lock(on: "Connection", project_id: UUID) -> "Record | None":
    """The same and the project's name, which nobody else changes until the transaction ends."""
    return await on.fetchrow(
        "SELECT name, rate_per_second, burst, allowed_origins FROM projects WHERE id = $1 FOR UPDATE",
        project_id,
    )


async def replace(
    on: "Connection",
    project_id: UUID,
    *,
    rate_per_second: int | None,
    burst: int | None,
    allowed_origins: list[str],
) -> "Record | None":
    """What a project has set now; its intake version grows."""
    return await on.fetchrow(
        """
        UPDATE projects
        SET rate_per_second = $2, burst = $3, allowed_origins = $4, intake_version = intake_version + 1
        WHERE id = $1 RETURNING rate_per_second, burst, allowed_origins
        """,
        project_id,
        rate_per_second,
        burst,
        allowed_origins,
    )
