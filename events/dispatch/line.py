"""What waits for one sink in memory: what is live, and behind it what is delivered again."""

from collections import deque
from collections.abc import Iterator

from events.dispatch.work import Job

REPEATS_SHARE = 0.75
"""How many of the requests that a sink may have at once are for repeats at most: a slot is free for what comes live."""


class Line:
    """Jobs in the order in which they start. A repeat starts when nothing live waits, and leaves slots free."""

    __slots__ = ("_repeats_under_way", "live", "repeats")

    def __init__(self) -> None:
        self.live: deque[Job] = deque()
        self.repeats: deque[Job] = deque()
        self._repeats_under_way = 0

    def __iter__(self) -> Iterator[Job]:
        yield from self.live
        yield from self.repeats

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self.live and not self.repeats

    def of(self, job: Job) -> deque[Job]:
        """Where jobs such as this one wait."""
        return self.live if job.replay_id is None else self.repeats

    def put(self, job: Job) -> None:
        """Let it wait behind its like."""
        self.of(job).append(job)

    def has_next(self, limit: int) -> bool:
        """Whether one may start, when so many requests may be under way in all."""
        return bool(self.live) or (bool(self.repeats) and self._repeats_under_way < most_repeats(limit))

    def next(self) -> Job:
        """Take the first that may start; there must be one."""
        return self.live.popleft() if self.live else self.repeats.popleft()

    def started(self, job: Job) -> None:
        """A request with `job` is under way."""
        self._repeats_under_way += job.replay_id is not None

    def ended(self, job: Job) -> None:
        """It is not any more."""
        self._repeats_under_way -= job.replay_id is not None

    def drop_withdrawn(self) -> None:
        """Forget those that are not to be started any more."""
        self.live = deque(job for job in self.live if not job.withdrawn)
        self.repeats = deque(job for job in self.repeats if not job.withdrawn)

    def clear(self) -> None:
        """Forget everything."""
        self.live.clear()
        self.repeats.clear()


def most_repeats(limit: int) -> int:
    """How many repeats may be under way at once; at least 1, which waits until nothing live does."""
    return max(1, int(limit * REPEATS_SHARE))
