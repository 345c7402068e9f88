"""What a process holds open: the stores and the way to wake a handler. Opened on first use."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.cache.level2 import Level2
from shared.db.roles import PROJECT, SERVICE, Role
from shared.runtime.metrics import METRICS
from shared.runtime.settings import Settings
from shared.runtime.wake import Wake

if TYPE_CHECKING:
    from uuid import UUID

    from redis.asyncio import Redis

    from shared.db.pool import Pool
    from shared.db.project_pool import ProjectPool


class Resources:
    """The stores of one process. `close()` ends them; every opener is safe to call concurrently.

    `draining` is true from the moment the process was told to end: no new work is claimed then.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.draining = False
        self.wake = Wake(self.redis)
        self.cache = Level2(self.redis, settings.secret)
        self._pg = _OpenPool(self, SERVICE)
        self._stream = _OpenPool(self, SERVICE, planned_once=True)
        self._of = _OpenPool(self, PROJECT)
        self._reading = (
            self._of if settings.database_read_url is None else _OpenPool(self, PROJECT, replica=True)
        )
        self._redis: Redis | None = None
        self._closing: list[Callable[[], Awaitable[None]]] = []
        self._resting: list[Callable[[float], Awaitable[None]]] = []
        self._measures: list[Callable[[], Awaitable[None]]] = []

    async def pg(self) -> "Pool":
        """The Postgres pool, for what crosses projects. Raises OSError or asyncpg.PostgresError without the server."""
        return await self._pg.get()

    async def of(self, project_id: "UUID") -> "ProjectPool":
        """Postgres as one project sees it: the rows of others are not there, whatever a statement asks for.

        For everything that is done in one project. It raises what `pg` does.
        """
        return (await self._of.get()).of(project_id)

    async def stream(self) -> "Pool":
        """A second one, for what is done with every event: the server plans its statements once.

        It raises what `pg` does. Over partitions a plan costs more than the statement, and for a key it is always
        the same; what people search for is better planned by what it is.
        """
        return await self._stream.get()

    async def reading_of(self, project_id: "UUID") -> "ProjectPool":
        """The same for what may be some moments old: of a replica where one is named."""
        return (await self._reading.get()).of(project_id)

    async def redis(self) -> "Redis":
        """The Redis client. It connects at its first command, so this does not fail without a server."""
        if self._redis is None:
            from shared.cache.client import open_redis

            self._redis = open_redis(self.settings.redis_url.get_secret_value())
        return self._redis

    async def revive(self) -> None:
        """Replace connections that died while nobody looked: after a time in which the process stood still."""
        await asyncio.gather(*(pool.revive() for pool in self._pools))
        if self._redis is not None:
            # Opening one is cheaper than to wait for one that does not answer.
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    def at_scrape(self, measure: Callable[[], Awaitable[None]]) -> None:
        """Have `measure` called before metrics are shown; it has to bear that a store is away."""
        self._measures.append(measure)

    async def measure(self) -> None:
        """Bring up to date those metrics that are looked up and not counted."""
        for state in POOL_STATES:
            POOL.set(state, to=sum(pool.count(state) for pool in self._pools))
        for measure in self._measures:
            await measure()

    def at_close(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have `close` called before the stores are let go of."""
        self._closing.append(close)

    def at_rest(self, settle: Callable[[float], Awaitable[None]]) -> None:
        """Have `settle` called when nothing may be left to do later; it is given the seconds it may take."""
        self._resting.append(settle)

    async def settle(self, timeout_seconds: float) -> None:
        """Do now what would be done in a moment: for a process that stands still between requests."""
        await asyncio.gather(
            self.wake.settle(timeout_seconds), *(settle(timeout_seconds) for settle in self._resting)
        )

    async def close(self) -> None:
        """End what was opened; what others still use of it fails from here on."""
        for close in self._closing:
            await close()
        await self.wake.close()
        await self.cache.close()
        if self._redis is not None:
            await self._redis.aclose()
        await asyncio.gather(*(pool.close() for pool in self._pools))

    @property
    def _pools(self) -> "set[_OpenPool]":
        return {self._pg, self._stream, self._of, self._reading}


CLOSE_SECONDS = 5.0
"""How long a pool may take to be closed; then its connections are dropped."""

POOL_STATES = ("used", "waiting", "limit")
POOL = METRICS.gauge(
    "weir_database_pool_connections",
    "Connections of this process: in use, asked for and waited for, and how many it may open.",
    ("state",),
)


class _OpenPool:
    """A pool that is opened when somebody asks for it.

    Whoever asks while it is being opened shares the outcome, so that a server that does not answer costs all
    of them one time-out and not each in turn.
    """

    def __init__(
        self, resources: Resources, role: Role, *, replica: bool = False, planned_once: bool = False
    ) -> None:
        self._resources = resources
        self._role = role
        self._replica = replica
        self._planned_once = planned_once
        self._pool: Pool | None = None
        self._opening: asyncio.Task[Pool] | None = None

    async def get(self) -> "Pool":
        if self._pool is None:
            if self._opening is None:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            return await asyncio.shield(self._opening)
        return self._pool

    async def _open(self) -> "Pool":
        from shared.db.pool import open_pool

        settings = self._resources.settings
        url = (self._replica and settings.database_read_url) or settings.database_url
        try:
            # Kept here, and not by whoever asked: they may all have given up meanwhile.
            self._pool = await open_pool(
                url.get_secret_value(),
                size=settings.database_pool_size,
                role=self._role,
                planned_once=self._planned_once,
            )
        finally:
            self._opening = None
        return self._pool

    async def revive(self) -> None:
        if self._pool is not None:
            await self._pool.revive()

    def count(self, state: str) -> int:
        """How many connections are in use (`used`), waited for (`waiting`), or allowed (`limit`), once it is open."""
        if state == "limit":
            return 0 if self._pool is None else self._resources.settings.database_pool_size
        return 0 if self._pool is None else int(getattr(self._pool, state))

    async def close(self) -> None:
        if self._opening is not None:
            # It has a time-out of its own. A driver that is cancelled while it connects can lose the connection.
            _, late = await asyncio.wait([self._opening], timeout=CLOSE_SECONDS)
            for opening in late:
                opening.cancel()
                await asyncio.wait([opening], timeout=CLOSE_SECONDS)
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=CLOSE_SECONDS)
            except TimeoutError:
                self._pool.terminate()
