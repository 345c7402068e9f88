"""What a process holds open: the stores and the way to wake a handler. Opened on first use."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.runtime.settings import Settings
from shared.runtime.wake import Wake

if TYPE_CHECKING:
    from asyncpg import Pool
    from redis.asyncio import Redis


class Resources:
    """The stores of one process. `close()` ends them; every opener is safe to call concurrently.

    `draining` is true from the moment the process was told to end: no new work is claimed then.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.draining = False
        self.wake = Wake(self)
        self._pools = {
            planned_once: _OpenPool(self, planned_once=planned_once) for planned_once in (False, True)
        }
        self._redis: Redis | None = None
        self._closing: list[Callable[[], Awaitable[None]]] = []

    async def pg(self) -> "Pool":
        """The Postgres pool. Raises OSError or asyncpg.PostgresError when the server is not there."""
        return await self._pools[False].get()

    async def stream(self) -> "Pool":
        """A second one, for what is done with every event: the server plans its statements once.

        It raises what `pg` does. Over partitions a plan costs more than the statement, and for a key it is always
        the same; what people search for is better planned by what it is.
        """
        return await self._pools[True].get()

    async def redis(self) -> "Redis":
        """The Redis client. It connects at its first command, so this does not fail without a server."""
        if self._redis is None:
            from shared.cache.client import open_redis

            self._redis = open_redis(self.settings.redis_url.get_secret_value())
        return self._redis

    async def revive(self) -> None:
        """Replace connections that died while nobody looked: after a time in which the process stood still."""
        await asyncio.gather(*(pool.revive() for pool in self._pools.values()))
        if self._redis is not None:
            # Opening one is cheaper than to wait for one that does not answer.
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    def at_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have `close` called before the stores are let go of."""
        self._closing.append(close)

    async def close(self) -> None:
        """End what was opened; what others still use of it fails from here on."""
        for close in self._closing:
            await close()
        await self.wake.close()
        if self._redis is not None:
            await self._redis.aclose()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))


class _OpenPool:
    """A pool that is opened when somebody asks for it.

    Whoever asks while it is being opened shares the outcome, so that a server that does not answer costs all
    of them one time-out and not each in turn.
    """

    def __init__(self, resources: Resources, *, planned_once: bool) -> None:
        self._resources = resources
        self._planned_once = planned_once
        self._pool: Pool | None = None
        self._opening: asyncio.Task[Pool] | None = None

    async def get(self) -> "Pool":
        if self._pool is None:
            if self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            self._pool = await asyncio.shield(self._opening)
        return self._pool

    async def _open(self) -> "Pool":
        from shared.db.pool import open_pool

        settings = self._resources.settings
        try:
            return await open_pool(
                settings.database_url.get_secret_value(),
                size=settings.database_pool_size,
                planned_once=self._planned_once,
            )
        finally:
            self._opening = None

    async def revive(self) -> None:
        if self._pool is not None:
            await self._pool.revive()

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=5)
            except TimeoutError:
                self._pool.terminate()
