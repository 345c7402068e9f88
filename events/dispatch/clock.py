"""Noticing that the database's clock, by which everything is due, was set back. Pure."""

TOLERANCE_SECONDS = 5.0
"""What clocks drift apart, and statements take, between two looks."""


class DatabaseClock:
    """How far the database's clock is ahead of this process's monotonic one."""

    def __init__(self) -> None:
        self.ahead = float("-inf")

    def observe(self, now: float, monotonic: float) -> float:
        """The seconds by which it was set back since it was last looked at, 0 if it was not.

        `now` is the database's Unix time, `monotonic` this process's time when it was asked.
        """
        before, self.ahead = self.ahead, now - monotonic
        back = before - self.ahead
        return back if back > TOLERANCE_SECONDS else 0.0
