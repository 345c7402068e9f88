"""A pool as one project sees it."""

from typing import Any, Protocol
from uuid import UUID

from asyncpg.pool import PoolAcquireContext


class Lender(Protocol):
    """Who has the connections: `shared.db.pool.Pool`."""

    async def acquire_for(self, project_id: UUID, timeout: float | None = None) -> Any:
        """Lend a connection that serves the project."""

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Take one back."""


class ProjectPool:
    """Has what the pool has for statements; on its connections the rows of other projects are not there."""

    __slots__ = ("_pool", "_project_id")

    def __init__(self, pool: Lender, project_id: UUID) -> None:
        self._pool = pool
        self._project_id = project_id

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection that serves this project: to be awaited, or for `async with`."""
        return PoolAcquireContext(self, timeout)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Give one back that was awaited."""
        await self._pool.release(connection, timeout=timeout)

    async def _acquire(self, timeout: float | None) -> Any:
        return await self._pool.acquire_for(self._project_id, timeout)

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        """As asyncpg's."""
        async with self.acquire() as connection:
            status: str = await connection.execute(query, *args, timeout=timeout)
            return status

    async def executemany(self, command: str, args: Any, *, timeout: float | None = None) -> None:
        """As asyncpg's."""
        async with self.acquire() as connection:
            await connection.executemany(command, args, timeout=timeout)

    async def fetch(self, query: str, *args: Any, timeout: float | None = None) -> list[Any]:
        """As asyncpg's."""
        async with self.acquire() as connection:
            rows: list[Any] = await connection.fetch(query, *args, timeout=timeout)
            return rows

    async def fetchrow(self, query: str, *args: Any, timeout: float | None = None) -> Any:
        """As asyncpg's."""
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *args, timeout=timeout)

    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:
        """As asyncpg's."""
        async with self.acquire() as connection:
            return await connection.fetchval(query, *args, column=column, timeout=timeout)
