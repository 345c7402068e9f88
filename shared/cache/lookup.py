"""What a process remembers of a store for a moment, so that the hot path does no I/O."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


RETRY_SECONDS = 0.5
"""How soon a store that did not answer is asked again."""

LATELY_SECONDS = 10.0
"""For how long that it did not answer says anything: longer than a load may take."""


class Lookup(Generic[K, V]):
    """A bounded map that loads what it has not, each key once however many ask at the same time.

    An answer is used for `seconds`, counted from before it was asked for: so nothing older is ever
    shown. `None` (there is no such thing) is remembered for `none_seconds`. A failed load is not
    remembered; it raises in everyone who waited for it. After one that ran into its time-out nobody waits
    again: `get` raises TimeoutError at once, and looks in the background whether the store is back.
    """

    def __init__(
        self,
        load: Callable[[K], Awaitable[V]],
        *,
        seconds: float,
        none_seconds: float | None = None,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._none_seconds = seconds if none_seconds is None else none_seconds
        self._size = size
        self._clock = clock
        self._entries: dict[K, tuple[float, V]] = {}
        self._loading: dict[K, asyncio.Task[V]] = {}
        self._timed_out: dict[K, float] = {}

    async def get(self, key: K) -> V:
        """The value of `key`. Raises what `load` raises."""
        entry = self._entries.get(key)
        if entry is not None and self._clock() < entry[0]:
            return entry[1]
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

    def _start(self, key: K) -> "asyncio.Task[V]":
        task = asyncio.get_running_loop().create_task(self._fill(key))
        self._loading[key] = task
        task.add_done_callback(_read_error)
        return task

    def peek(self, key: K) -> V | None:
        """The value of `key` where it is remembered and not None; loads nothing."""
        entry = self._entries.get(key)
        return entry[1] if entry is not None and self._clock() < entry[0] else None

    def forget(self, key: K) -> None:
        """Load `key` anew when it is next asked for; a load that is under way is not kept."""
        self._entries.pop(key, None)
        self._loading.pop(key, None)

    async def _fill(self, key: K) -> V:
        asked = self._clock()
        task = asyncio.current_task()
        try:
            try:
                value = await self._load(key)
            except TimeoutError:
                self._timed_out.pop(key, None)
                while len(self._timed_out) >= self._size:
                    del self._timed_out[next(iter(self._timed_out))]
                self._timed_out[key] = self._clock()
                raise
            self._timed_out.pop(key, None)
            if self._loading.get(key) is task:
                self._keep(key, asked + (self._none_seconds if value is None else self._seconds), value)
            return value
        finally:
            if self._loading.get(key) is task:
                del self._loading[key]

    def _keep(self, key: K, until: float, value: V) -> None:
        """The oldest goes first: an entry that is asked for again and again is renewed, so it is young."""
        self._entries.pop(key, None)
        while len(self._entries) >= self._size:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (until, value)


def _read_error(task: "asyncio.Task[V]") -> None:
    """When every waiter has given up, nobody else reads the error, and asyncio would complain of it."""
    if not task.cancelled():
        task.exception()
