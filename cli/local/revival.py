"""When to start again what has ended: at once the first time, later and later while it keeps ending."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 5.0
CALM_SECONDS = 30.0
"""A part that ran so long starts with the first pause again."""


@dataclass
class Part:
    """Something that must run. `ended` tells whether it has, `start` starts it."""

    name: str
    ended: Callable[[], bool]
    start: Callable[[], None]
    due: float | None = field(default=None, init=False)
    _pause: float = field(default=0.0, init=False)
    _started: float = field(default_factory=time.monotonic, init=False)

    def look(self, now: float) -> bool:
        """Whether it is time to start it; notes the end when it is new."""
        if not self.ended():
            return False
        if self.due is None:
            calm = now - self._started > CALM_SECONDS
            self._pause = FIRST_SECONDS if calm or not self._pause else min(self._pause * 2, LONGEST_SECONDS)
            self.due = now + self._pause
        return now >= self.due

    def revive(self) -> None:
        """Start it. What `start` raises is raised, and the next pause begins."""
        self.due = None
        self._started = time.monotonic()
        self.start()


def pause_until_due(parts: list[Part], now: float) -> float | None:
    """Seconds until the next part is to be started; None when none waits."""
    due = [part.due for part in parts if part.due is not None]
    return max(0.0, min(due) - now) if due else None
