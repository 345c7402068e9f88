"""The SQL of the built-in sink."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool


async def project_id(on: "Connection | Pool", name: str) -> UUID | None:
    """The project of that name."""
    found: UUID | None = await on.fetchval("SELECT id FROM projects WHERE name = $1", name)
    return found
