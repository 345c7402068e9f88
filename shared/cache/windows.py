"""How often something may be done in a window of time: counted in Redis, and without it in this process."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger("weir.cache")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` in a window of `seconds`. A window ends by itself: nobody is shut out for good."""

    name: str
    tries: int
    seconds: int


_COUNT = """
local wait = 0
for i, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('EXPIRE', key, ARGV[2 * i]) end
  if count > tonumber(ARGV[2 * i - 1]) then wait = math.max(wait, redis.call('TTL', key), 1) end
end
return wait
"""

_TAKE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
"""


class Windows:
    """Counts in Redis; while Redis is away, in this process."""

    def __init__(self) -> None:
        self._local = LocalCounter()

    async def count(self, redis: "Redis", limits: Mapping[str, Limit]) -> int:
        """Count one try in the window of each key. The seconds to wait before another is heard, 0 to go on."""
        arguments = [part for limit in limits.values() for part in (limit.tries, limit.seconds)]
        try:
            return int(await redis.eval(_COUNT, len(limits), *limits, *arguments))
        except Exception as error:
            logger.warning("counting tries locally: %s: %s", type(error).__name__, error)
            return max(self._local.count(key, limit) for key, limit in limits.items())

    async def forget(self, redis: "Redis", key: str) -> None:
        """Start a new window at that key."""
        self._local.forget(key)
        try:
            await redis.delete(key)
        except Exception as error:
            logger.warning("a count of tries was not reset: %s: %s", type(error).__name__, error)

    async def take_back(self, redis: "Redis", keys: Collection[str]) -> None:
        """Have one try not have been made in the window of each key."""
        for key in keys:
            self._local.take_back(key)
        try:
            await redis.eval(_TAKE_BACK, len(keys), *keys)
        except Exception as error:
            logger.warning("a try was not taken back: %s: %s", type(error).__name__, error)


class LocalCounter:
    """The same windows in memory, bounded."""

    _SIZE = 10_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._windows: dict[str, tuple[float, int]] = {}
        self._clock = clock

    def count(self, key: str, limit: Limit) -> int:
        """Count one; the seconds to wait, 0 while within the limit."""
        now = self._clock()
        ends, count = self._windows.get(key, (0.0, 0))
        if now >= ends:
            ends, count = now + limit.seconds, 0
        while len(self._windows) >= self._SIZE:
            del self._windows[next(iter(self._windows))]
        self._windows[key] = (ends, count + 1)
        return int(ends - now) + 1 if count + 1 > limit.tries else 0

    def forget(self, key: str) -> None:
        """Start a new window."""
        self._windows.pop(key, None)

    def take_back(self, key: str) -> None:
        """Have one not have been counted."""
        ends, count = self._windows.get(key, (0.0, 0))
        if count:
            self._windows[key] = (ends, count - 1)
