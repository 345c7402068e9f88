"""How many deliveries a replay may open now: at its rate, and while few wait. Pure."""

LEAST = 64
MOST = 2_000
"""Of one sink, at most so many wait at a time; fewer, while it takes fewer."""

SET = 100
"""So many are opened together at least, or a quarter of what may wait: each time costs a transaction."""

FIRST = 256
"""As long as nothing is known of the sink."""

BURST_SECONDS = 0.5
AHEAD_SECONDS = 1.0
"""As many wait as go out in this time: what is paused, or cancelled, has hardly anything left to be delivered."""


class Pace:
    """The tokens and the window of one sink. Moments are of the monotonic clock.

    With a stop rule no more than it looks at goes out before there is anything to judge by.
    """

    def __init__(self, now: float, first: int = FIRST) -> None:
        self._tokens = 1.0
        self._filled_at = now
        self._window = min(FIRST, first)
        self._least = min(LEAST, first)
        self._ended_at = now
        self._ended: int | None = None
        self._speed = 0.0

    def room(self, now: float, rate: float | None, waiting: int) -> int:
        """How many may be opened, at `rate` a second (None is no limit), when so many wait already."""
        room = self._window - waiting
        if room < min(SET, self._window // 4):
            room = 0
        if rate is not None:
            self._tokens = min(max(1.0, rate * BURST_SECONDS), self._tokens + (now - self._filled_at) * rate)
            room = min(room, int(self._tokens))
        self._filled_at = now
        return max(0, room)

    def opened(self, count: int) -> None:
        """So many were."""
        self._tokens -= count

    def wait(self, now: float, rate: float | None) -> float:
        """In how many seconds the rate lets the next one through."""
        if rate is None:
            return 0.0
        return max(0.0, (1.0 - self._tokens) / rate - (now - self._filled_at))

    def observe(self, now: float, ended: int, waiting: int) -> None:
        """So many have ended in all, and so many wait: what went out since decides how many may."""
        if self._ended is None or now <= self._ended_at:
            self._ended, self._ended_at = ended, now
            return
        speed = max(0, ended - self._ended) / (now - self._ended_at)
        self._speed = speed if not self._speed else 0.5 * self._speed + 0.5 * speed
        if ended - self._ended >= self._window // 2 >= waiting:
            self._window = min(MOST, 2 * self._window)
        else:
            self._window = int(max(self._least, min(self._window, 2 * AHEAD_SECONDS * self._speed)))
        self._ended, self._ended_at = ended, now
