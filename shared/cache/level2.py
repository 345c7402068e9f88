"""Redis as the level of the caches that processes share, and as the way they tell each other what has changed.

Nothing depends on it. It is opened some moments after it was first of use, so that no start and no first answer waits
for it; while it does not answer it is left alone, and somebody looks beside whether it is back.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

import msgspec
from pydantic import SecretStr

from shared.cache.tally import REDIS_FAULTS

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

OPEN_AFTER_SECONDS = 1.0
"""How long after its first use it is opened: the client alone takes longer to load than a first answer may."""

READ_SECONDS = 0.25
WRITE_SECONDS = 1.0
PAUSE_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""

HEALTH_SECONDS = 30.0
"""How often a connection on which nobody says anything is looked at."""

MOST_WRITES = 1_000
"""How many writes may be under way: what comes on top is not kept, which costs a load."""

CHANNEL = "weir:cache:forget"

STAMP_LENGTH = 16
"""Digits of a moment by Redis's clock, in microseconds since 1970. What Redis alone tells the time of has one age for all."""

_WRITE = """
local old = redis.call('GET', KEYS[1])
if old and string.sub(old, 1, 16) >= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1
"""
"""Keeps an entry unless one of a later load, or a mark of a change, is there. One that has ended by now is not kept."""

_FORGET = """
local t = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%010d%06d', t[1], t[2]), 'PX', ARGV[1])
return redis.call('PUBLISH', ARGV[2], ARGV[3])
"""
"""Puts a mark of the change in place of the entry, for as long as loads from before it may come, and says so."""

logger = logging.getLogger("weir.cache")


class Level2:
    """The Redis of one process as a cache. `client` gives the process's client; it is not kept alive by this.

    `secret` keys the proof that an entry is ours. Without `listens` changes elsewhere are not heard of: where a process
    stands still between requests.
    """

    def __init__(self, client: Callable[[], Awaitable["Redis"]], secret: SecretStr) -> None:
        self.secret = secret
        self.listens = True
        self._client_of = WeakMethod(client)
        self._client: Redis | None = None
        self._heeding: dict[str, list[Callable[[str], None]]] = {}
        self._opening: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._away_until: float | None = None
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether it can be asked now. Saying no, it sees to it that it can be soon."""
        if self._client is not None and self._away_until is None:
            return True
        if self._closed:
            return False
        if self._client is None:
            if self._opening is None and self._looking is None:
                self._opening = asyncio.get_running_loop().call_later(OPEN_AFTER_SECONDS, self._look)
        elif self._looking is None and time.monotonic() >= (self._away_until or 0):
            self._look()
        return False

    async def read(self, key: str) -> tuple[int, str | None] | None:
        """Redis's time in microseconds, before it looked, and the entry. None when it cannot be asked."""
        if not self.is_open or self._client is None:
            return None
        try:
            async with asyncio.timeout(READ_SECONDS), self._client.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.get(key)
                (seconds, micros), entry = await pipeline.execute()
        except Exception as error:
            self._give_up(error)
            return None
        return seconds * 1_000_000 + micros, entry

    def write(self, key: str, stamp: int, entry: str, until_ms: int) -> None:
        """Keep `entry` until that time of Redis's, unless something newer is there. Returns at once."""
        if self.is_open and len(self._tasks) < MOST_WRITES:
            self._start(self._run(_WRITE, key, _digits(stamp), entry, until_ms))

    def forget(self, key: str, milliseconds: int, cache: str, name: str, done: Callable[[], None]) -> None:
        """Mark that what was loaded before now is not to be used, and tell the others. Returns at once.

        `done` is called when it was done; never, if it could not be.
        """
        if not self._closed:
            message = msgspec.json.encode([cache, name]).decode()
            self._start(self._tell(key, milliseconds, message, done))

    def heed(self, cache: str, forget: Callable[[str], None]) -> None:
        """Call `forget` with the names of what is forgotten in that cache of other processes."""
        self._heeding.setdefault(cache, []).append(forget)

    async def close(self) -> None:
        """Say what is still to be said, and stop listening."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        ending = [task for task in (self._listener, self._looking) if task is not None]
        for task in ending:
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=WRITE_SECONDS)
            for task in late:
                task.cancel()
            ending += late
        await asyncio.gather(*ending, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, script: str, key: str, *arguments: str | int) -> bool:
        try:
            client = await self._opened()
            async with asyncio.timeout(WRITE_SECONDS):
                await client.eval(script, 1, key, *arguments)
        except Exception as error:
            self._give_up(error)
            return False
        return True

    async def _tell(self, key: str, milliseconds: int, message: str, done: Callable[[], None]) -> None:
        if await self._run(_FORGET, key, milliseconds, CHANNEL, message):
            done()

    async def _opened(self) -> "Redis":
        if self._client is not None:
            return self._client
        # In a thread: what there is to load would hold up everybody else's request.
        await asyncio.to_thread(import_module, "redis.asyncio")
        client_of = self._client_of()
        if client_of is None:
            raise ConnectionError("the process has let go of its stores")
        return await client_of()

    def _look(self) -> None:
        self._opening = None
        if not self._closed and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        """Find out whether Redis answers, and listen."""
        try:
            client = await self._opened()
            async with asyncio.timeout(WRITE_SECONDS):
                await client.ping()
        except Exception as error:
            self._give_up(error)
            return
        finally:
            self._looking = None
        if self._away_until is not None:
            logger.info("redis answers again")
        self._client, self._away_until = client, None
        if self.listens and (self._listener is None or self._listener.done()):
            self._listener = asyncio.get_running_loop().create_task(self._listen(client))

    def _give_up(self, error: Exception) -> None:
        if self._away_until is None:
            REDIS_FAULTS.add()
            logger.warning("caching without redis: %s: %s", type(error).__name__, error)
        self._away_until = time.monotonic() + PAUSE_SECONDS

    async def _listen(self, client: "Redis") -> None:
        """Hear what others forget, until Redis goes away: then `_open` starts it again."""
        try:
            async with client.pubsub() as pubsub:
                await pubsub.subscribe(CHANNEL)
                while True:
                    await self._hear(pubsub)
        except Exception as error:
            if not self._closed:
                self._give_up(error)

    async def _hear(self, pubsub: "PubSub") -> None:
        message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=HEALTH_SECONDS)
        if message is None:
            return
        with contextlib.suppress(msgspec.MsgspecError, ValueError):  # another version may say more
            cache, name = msgspec.json.decode(message["data"], type=tuple[str, str])
            for forget in self._heeding.get(cache, ()):
                forget(name)


def _digits(stamp: int) -> str:
    return f"{stamp:0{STAMP_LENGTH}d}"
