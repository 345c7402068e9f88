"""Which spans of time a histogram has: pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

STEPS = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 28, 91, 364)),
)
"""Widths that people think in, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Spans from `since` to before `until`, in Unix milliseconds; between them at whole multiples of `step`."""

    since: int
    until: int
    step: int

    @property
    def edges(self) -> list[int]:
        """Where one ends and the next begins, from `since` to `until`."""
        first = self.since - self.since % self.step + self.step
        return [self.since, *range(first, self.until, self.step), self.until]

    def index(self, ms: int) -> int:
        """Which of them a moment within them is in."""
        return ms // self.step - self.since // self.step


def bars(since: int, until: int, most: int) -> Bars:
    """At most `most` of the narrowest that there are for the range."""
    until = max(until, since + 1)
    for step in STEPS:
        found = Bars(since, until, step)
        if (until - 1) // step - since // step < most:
            return found
    wide = STEPS[-1]
    while (until - 1) // wide - since // wide >= most:
        wide *= 2
    return Bars(since, until, wide)


def moment(ms: int) -> datetime:
    """Unix milliseconds as an instant in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def iso(step: int) -> str:
    """A width in ISO 8601, as `PT1M`."""
    for unit, word in ((DAY, "P{}D"), (HOUR, "PT{}H"), (MINUTE, "PT{}M"), (SECOND, "PT{}S")):
        if step % unit == 0:
            return word.format(step // unit)
    raise ValueError(f"{step} ms is no width of a bar")
