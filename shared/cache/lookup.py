"""What a process remembers of a store for a moment, so that the hot path does no I/O."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Generic, Protocol, TypeVar, cast

from shared.cache.tally import MISS, tally_of

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


RETRY_SECONDS = 0.5
"""How soon a store that did not answer is asked again."""

LATELY_SECONDS = 10.0
"""For how long that it did not answer says anything: longer than a load may take."""

AHEAD = (0.7, 0.9)
"""At which part of its time an answer that is used is looked up again: by chance in between, so that processes do not
all ask at once, and whoever comes later finds what the first has put into Redis."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[V]):
    """What the second level had. `stamp` says when it was looked, for what is loaded and written because of it.

    `left_seconds` is for how long `value` may still be used, counted from before it was asked for; 0 for nothing there.
    """

    stamp: int
    left_seconds: float = 0.0
    value: V | None = None


class SecondLevel(Protocol[K, V]):
    """A cache that processes share. It may be away: then it is nothing to wait for, and nothing is raised."""

    async def read(self, key: K) -> Seen[V] | None:
        """What it has; None while it cannot be asked."""

    def write(self, key: K, value: V, stamp: int) -> None:
        """Keep what was loaded after `stamp`, unless something newer is there. Returns at once."""

    def forget(self, key: K) -> None:
        """Drop what was loaded before now, and tell every process. Returns at once."""

    def heed(self, forget: Callable[[K], None]) -> None:
        """Call `forget` with what other processes forget."""


class Lookup(Generic[K, V]):
    """A bounded map that loads what it has not, each key once however many ask at the same time.

    An answer is used for `seconds`, counted from before its store was asked for it, by whichever process: so nothing
    older is ever shown. `None` (there is no such thing) is remembered for `none_seconds`. What is asked for towards the
    end of its time is loaded again beside. A failed load is not remembered; it raises in everyone who waited for it.
    After one that ran into its time-out nobody waits again: `get` raises TimeoutError at once, and looks in the
    background whether the store is back.

    With a `second` level, what is missing is looked for there before it is loaded. `name` is that of its metrics.
    """

    def __init__(
        self,
        load: Callable[[K], Awaitable[V]],
        *,
        name: str,
        seconds: float,
        none_seconds: float | None = None,
        size: int = 10_000,
        second: SecondLevel[K, V] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._none_seconds = seconds if none_seconds is None else none_seconds
        self._size = size
        self._clock = clock
        self._name = name
        self._tally = tally_of(name)
        self._second = second
        self._entries: dict[K, _Entry[V]] = {}
        self._loading: dict[K, asyncio.Task[V]] = {}
        self._timed_out: dict[K, float] = {}
        # Its own: who sets the state of the process's, as a test that repeats itself does, would find it gone on.
        self._chance = random.Random()  # noqa: S311 no secret
        if second is not None:
            second.heed(self._hear)

    async def get(self, key: K) -> V:
        """The value of `key`. Raises what `load` raises."""
        entry = self._current(key)
        if entry is not None:
            return entry.value
        task = self._loading.get(key)
        failed_at = self._timed_out.get(key)
        if failed_at is not None:
            passed = self._clock() - failed_at
            if task is not None or passed < LATELY_SECONDS:
                if task is None and passed >= RETRY_SECONDS:
                    self._start(key)
                raise TimeoutError("the store has not answered lately")
            del self._timed_out[key]
        if task is None:
            task = self._start(key)
        # One caller that gives up must not end the load for the others.
        return await asyncio.shield(task)

    def peek(self, key: K) -> V | None:
        """The value of `key` where it is remembered and not None; waits for nothing."""
        entry = self._current(key)
        return None if entry is None else entry.value

    def forget(self, key: K) -> None:
        """Load `key` anew when it is next asked for, in every process; a load that is under way is not kept.

        Other processes hear of it where there is a second level that is not away, else it is as old as it may be.
        """
        self._drop(key)
        self._tally.dropped += 1
        if self._second is not None:
            self._second.forget(key)

    def _hear(self, key: K) -> None:
        self._drop(key)
        self._tally.heard += 1

    def _drop(self, key: K) -> None:
        self._entries.pop(key, None)
        self._loading.pop(key, None)

    def _current(self, key: K) -> "_Entry[V] | None":
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock()
        if now >= entry.ahead_at:
            if now >= entry.until:
                return None
            entry.ahead_at = entry.until  # once: what fails now is loaded when it is needed
            if key not in self._loading:
                self._tally.refreshes += 1
                self._start(key)
        self._tally.hits += 1
        return entry

    def _start(self, key: K) -> "asyncio.Task[V]":
        task = asyncio.get_running_loop().create_task(self._fill(key))
        self._loading[key] = task
        task.add_done_callback(_read_error)
        return task

    async def _fill(self, key: K) -> V:
        task = asyncio.current_task()
        try:
            asked = self._clock()
            seen = None if self._second is None else await self._second.read(key)
            if seen is not None and seen.left_seconds > self._least(key):
                value = cast("V", seen.value)  # None is a value where there is time left
                self._tally.hits_in_redis += 1
                if self._loading.get(key) is task:
                    self._keep(key, asked + seen.left_seconds, value)
                return value
            self._tally.misses += 1
            asked = self._clock()
            value = await self._loaded(key)
            MISS.observe(self._name, value=self._clock() - asked)
            if self._loading.get(key) is task:
                self._keep(key, asked + self._time_of(value), value)
                if seen is not None and self._second is not None:
                    self._second.write(key, value, seen.stamp)
            return value
        finally:
            if self._loading.get(key) is task:
                del self._loading[key]

    async def _loaded(self, key: K) -> V:
        try:
            value = await self._load(key)
        except TimeoutError:
            self._timed_out.pop(key, None)
            while len(self._timed_out) >= self._size:
                del self._timed_out[next(iter(self._timed_out))]
            self._timed_out[key] = self._clock()
            raise
        self._timed_out.pop(key, None)
        return value

    def _least(self, key: K) -> float:
        """How long an answer of the second level has to last to be of use: longer than what is here, if anything is."""
        entry = self._entries.get(key)
        if entry is None or (left := entry.until - self._clock()) <= 0:
            return 0.0
        return max(left, self._seconds * (1 - AHEAD[0]))

    def _time_of(self, value: V) -> float:
        return self._none_seconds if value is None else self._seconds

    def _keep(self, key: K, until: float, value: V) -> None:
        """The oldest goes first: an entry that is asked for again and again is renewed, so it is young."""
        self._entries.pop(key, None)
        while len(self._entries) >= self._size:
            del self._entries[next(iter(self._entries))]
        # What is not there is not looked up ahead: made-up keys shall not be asked for more than they are.
        part = inf if value is None else self._chance.uniform(*AHEAD)
        self._entries[key] = _Entry(until, min(until, until - self._seconds * (1 - part)), value)


class _Entry(Generic[V]):
    __slots__ = ("ahead_at", "until", "value")

    def __init__(self, until: float, ahead_at: float, value: V) -> None:
        self.until = until
        self.ahead_at = ahead_at
        self.value = value


def _read_error(task: "asyncio.Task[V]") -> None:
    """When every waiter has given up, nobody else reads the error, and asyncio would complain of it."""
    if not task.cancelled():
        task.exception()
