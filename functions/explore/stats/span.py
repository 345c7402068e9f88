"""Which minutes and hours make up a range of time, and in what steps it is drawn: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from shared.core.problems import INVALID, Fault, Problem
from shared.rollups.queries import HOUR, MINUTE
from shared.rollups.upkeep import HOURS_KEPT, MINUTES_KEPT, hour_of, minute_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT = timedelta(hours=1)

_STEPS = (
    (timedelta(hours=3), MINUTE),
    (timedelta(hours=12), 5 * MINUTE),
    (timedelta(hours=48), 15 * MINUTE),
    (timedelta(days=14), HOUR),
    (timedelta(days=60), 6 * HOUR),
)
_WIDEST = 24 * HOUR

FINE = timedelta(hours=6)
"""Up to this long a range, breakdowns are drawn as finely as totals."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What was counted by `step` (seconds) with a start from `low` to before `high`."""

    step: int
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A range that begins and ends with a whole minute, or a whole hour where minutes are not kept any more.

    `counted` is until when there are counts: what comes later is not known yet.
    """

    since: datetime
    until: datetime
    counted: datetime

    @property
    def length(self) -> timedelta:
        """From its beginning to its end."""
        return self.until - self.since

    @property
    def seconds(self) -> float:
        """How much of it is over and counted: what rates are reckoned by. At least one."""
        return max((min(self.until, self.counted) - self.since).total_seconds(), 1.0)

    @property
    def step(self) -> int:
        """The seconds that one point of a chart stands for."""
        return next((step for most, step in _STEPS if self.length <= most), _WIDEST)

    @property
    def part_step(self) -> int:
        """The same of a small chart, of which there are many."""
        return self.step if self.length <= FINE else max(self.step, HOUR)

    def tiles(self, step: int = HOUR) -> list[Tile]:
        """What to read for points of `step` seconds: whole hours that are over, and minutes around them."""
        if step < HOUR:
            return [Tile(MINUTE, self.since, self.until)]
        first = hour_of(self.since + timedelta(hours=1, microseconds=-1))
        last = min(hour_of(self.until), hour_of(self.counted))
        if first >= last:
            return [Tile(MINUTE, self.since, self.until)]
        found = [
            Tile(MINUTE, self.since, first),
            Tile(HOUR, first, last),
            Tile(MINUTE, last, self.until),
        ]
        return [tile for tile in found if tile.low < tile.high]

    def starts(self, step: int) -> list[datetime]:
        """When each point begins; the first may begin before the range does."""
        return list(_starts(self.since, self.until, timedelta(seconds=step)))

    def covered(self, start: datetime, step: int) -> float:
        """How many seconds of a point lie in the range and are counted."""
        end = min(start + timedelta(seconds=step), self.until, self.counted)
        return max((end - max(start, self.since)).total_seconds(), 0.0)

    def before(self) -> Self:
        """The range of the same length that ends where this one begins."""
        return type(self)(self.since - self.length, self.since, self.counted)


def _starts(since: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    at = EPOCH + (since - EPOCH) // step * step
    while at < until:
        yield at
        at += step


def span_of(
    since: datetime | None, until: datetime | None, now: datetime, counted: datetime | None = None
) -> Span:
    """The range from `since` (an hour before the end) to `until` (now), widened to whole minutes or hours.

    Raises Problem 422 for one that ends before it begins.
    """
    oldest = now - HOURS_KEPT
    end = now if until is None else max(min(until.astimezone(UTC), now), oldest)
    start = end - DEFAULT if since is None else since.astimezone(UTC)
    if since is not None and until is not None and since >= until:
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/query/until", "must be after since")],
        )
    start = max(min(start, end), oldest)
    counted = counted or now
    if start < hour_of(now - MINUTES_KEPT) + timedelta(hours=1):
        return Span(hour_of(start), _up(end, timedelta(hours=1)), counted)
    return Span(minute_of(start), _up(end, timedelta(minutes=1)), counted)


def _up(moment: datetime, step: timedelta) -> datetime:
    """The first multiple of `step` after `moment`, or `moment` itself where it is one."""
    return EPOCH - (EPOCH - moment) // step * step
