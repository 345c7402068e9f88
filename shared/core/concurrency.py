"""How many requests a sink gets at once, by how it bears them: additive increase, multiplicative decrease. Pure."""

from math import inf, isinf

PATIENCE_SECONDS = 3.0
"""How long a sink has to be overloaded before it gets less: a hiccup is no reason."""

SIGNALS = 100
"""How many attempts have to say so until the first cut."""

SHARE = 0.3
"""What part of the attempts has to say so."""

CUT = 0.7
SLOW_FACTOR = 4.0
SLOW_SECONDS = 1.0
"""A sink is slower than itself when an answer takes this many times its best, and at least this long."""

FADE = 16
DRIFT = 1.0005
"""By how much the best known latency is doubted with each answer: sinks change."""


class AdaptiveLimit:
    """The limit of one sink. It begins without one: what a subscription asks for is the ceiling.

    When the sink has been overloaded for a while, the limit becomes a part of what was under way, again after
    each round until it bears that. Every round of answers that came in time adds one, up to the ceiling.
    """

    __slots__ = ("_best", "_cut_at", "_good", "_limit", "_overloaded", "_since", "latency")

    def __init__(self) -> None:
        self._limit = inf
        self._cut_at = -inf
        self._good = self._overloaded = 0
        self._since = inf
        self._best = inf
        self.latency = 0.0
        """Seconds that an answer takes, the last ones weighing most; 0 before the first."""

    @property
    def is_reduced(self) -> bool:
        """Whether the sink gets fewer requests at once than was asked for."""
        return not isinf(self._limit)

    def within(self, ceiling: int) -> int:
        """How many requests may be under way, from 1 to `ceiling`."""
        return ceiling if self._limit >= ceiling else max(1, int(self._limit))

    def outlook(self, age: float, timeout: float) -> float:
        """How many seconds a request that has had no answer for `age` will probably take in all, at most `timeout`.

        One that is a little late takes half as long again as it took so far: less than the next one would. One
        that has taken twice as long as usual may take all its time.
        """
        if age > 2 * self.latency:
            return timeout
        return min(timeout, max(self.latency, 1.5 * age))

    def answered(self, now: float, started: float, under_way: int, ceiling: int, *, overloaded: bool) -> None:
        """An attempt that began at `started` ended; `under_way` requests were, this one among them."""
        took = now - started
        if self.latency:
            self.latency += (took - self.latency) / FADE
        else:
            self.latency = took
        if not overloaded:
            self._best = min(self._best * DRIFT, took)
            overloaded = self.latency > max(SLOW_SECONDS, SLOW_FACTOR * self._best)
        if overloaded:
            self._strained(now, started, under_way, ceiling)
        elif self._since != inf or self._limit != inf:
            self._fine(ceiling)

    def restart(self, limit: int) -> None:
        """Begin anew with `limit`, after a time without requests."""
        self._limit = float(limit)
        self._forget()

    def _strained(self, now: float, started: float, under_way: int, ceiling: int) -> None:
        if self._since == inf:
            self._since = now
        self._overloaded += 1
        if started <= self._cut_at:
            return  # it began before the last cut and says nothing about what came of that
        if isinf(self._limit):
            enough = self._overloaded >= SIGNALS and now - self._since >= PATIENCE_SECONDS
            if not enough or self._overloaded < SHARE * (self._overloaded + self._good):
                return
        self._limit = max(1.0, min(self._limit, under_way, ceiling) * CUT)
        self._cut_at = now
        self._good = self._overloaded = 0

    def _fine(self, ceiling: int) -> None:
        self._good += 1
        if self._since != inf and self._overloaded < SHARE * (self._overloaded + self._good):
            # One answer too many in time: what was counted does not make a strained sink.
            self._forget()
        if not isinf(self._limit):
            self._limit += 1 / self._limit
            if self._limit >= ceiling:
                self._limit = inf
                self._forget()

    def _forget(self) -> None:
        self._good = self._overloaded = 0
        self._since = inf
