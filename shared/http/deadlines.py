"""The ends of many waits of few lengths."""

import asyncio
from typing import Protocol


class Waiting(Protocol):
    """Something that waits, and can be told that it waited for too long."""

    def expire(self) -> None:
        """The time is up."""


class Deadlines:
    """Time-outs with one timer for all waits of the same length: most of them end long before their time.

    Waits of one length end in the order in which they began, so the first is always the next to be late.
    """

    def __init__(self) -> None:
        self._waits: dict[float, dict[Waiting, float]] = {}
        self._timers: dict[float, asyncio.TimerHandle] = {}

    def start(self, waiting: Waiting, seconds: float) -> None:
        """Expire `waiting` after that time, unless `stop` comes before."""
        loop = asyncio.get_running_loop()
        waits = self._waits.get(seconds)
        if waits is None:
            waits = self._waits[seconds] = {}
        waits[waiting] = loop.time() + seconds
        if seconds not in self._timers:
            self._timers[seconds] = loop.call_later(seconds, self._look, seconds)

    def stop(self, waiting: Waiting, seconds: float) -> None:
        """It came in time."""
        waits = self._waits.get(seconds)
        if waits is not None:  # it expired, and was the last of its length
            waits.pop(waiting, None)

    def close(self) -> None:
        """Expire nothing more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _look(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        waits = self._waits[seconds]
        now = loop.time()
        while waits:
            waiting, at = next(iter(waits.items()))
            if at > now:
                self._timers[seconds] = loop.call_at(at, self._look, seconds)
                return
            del waits[waiting]
            waiting.expire()
        del self._timers[seconds], self._waits[seconds]
