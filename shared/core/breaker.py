"""Whether a sink that fails is worth another request: a circuit breaker. No I/O, no clock of its own."""

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Literal

from shared.core.retry import Outcome

State = Literal["closed", "open", "halfOpen"]

PROBE = "probe"
"""Who says in `sink_health` that a sink took a test: no dispatcher is called so."""

TIMED_OUT_SHARE = 0.95
"""A request without a response that took this share of its time-out has timed out."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What it takes to open, and for how long. Times are seconds.

    At least `failures` failed attempts that lie at least `span_seconds` apart, and at least `share` of all
    attempts among the failed ones, within one of `windows_seconds`. The first pause lasts
    `first_seconds`; each further one twice as long, up to `longest_seconds`. `probes` successes in a row close.
    """

    failures: int = 100
    share: float = 0.95
    span_seconds: float = 10.0
    windows_seconds: tuple[int, ...] = (20, 60)
    first_seconds: float = 1.0
    longest_seconds: float = 30.0
    forget_seconds: float = 60.0
    probes: int = 2


EVIDENCE = Evidence()


def is_unwell(outcome: Outcome) -> bool:
    """Whether an attempt says that the sink is unwell: no response, 429 or 5xx. Other codes are about the event."""
    code = outcome.status_code
    return code is None or code == 429 or 500 <= code < 600


def is_overloaded(outcome: Outcome, seconds: float, timeout_seconds: float) -> bool:
    """Whether an attempt that took `seconds` says that the sink gets too much: 429, 503 or a time-out."""
    if outcome.status_code is None:
        return seconds >= timeout_seconds * TIMED_OUT_SHARE
    return outcome.status_code in {429, 503}


class Breaker:
    """One sink's circuit. Moments are seconds of any clock that does not go back.

    Closed, it lets everything through and counts, from the first failure on. Open, it lets nothing through
    until `until`. Then it is half open: one request at a time, until enough of them succeed or one fails.
    """

    __slots__ = (
        "_closed_at",
        "_counts",
        "_evidence",
        "_passed",
        "_pause",
        "_probes",
        "since",
        "state",
        "until",
    )

    def __init__(self, now: float, evidence: Evidence = EVIDENCE) -> None:
        self._evidence = evidence
        self._counts: deque[list[float]] = (
            deque()
        )  # [second, failed, not failed, first failure, last failure]
        self._pause = evidence.first_seconds
        self._probes = 0  # under way
        self._passed = 0
        self._closed_at = -inf
        self.state: State = "closed"
        self.since = now
        self.until = -inf

    def wait_seconds(self, now: float) -> float:
        """How long nothing may be sent. 0 when something may be, or when a probe's answer is awaited."""
        return max(0.0, self.until - now) if self.state == "open" else 0.0

    def may_start(self, now: float) -> bool:
        """Whether a request may start now. Who starts one says so with `started`."""
        if self.state == "closed":
            return True
        if self.state == "open" and now >= self.until:
            self._become("halfOpen", now)
            self._passed = 0
        return self.state == "halfOpen" and self._probes == 0

    def started(self) -> bool:
        """A request has started; whether it is a probe, which has to be told with its outcome."""
        if self.state != "halfOpen":
            return False
        self._probes += 1
        return True

    def abandoned(self) -> None:
        """A probe came to nothing that says anything about the sink."""
        self._probes -= 1

    def succeeded(self, now: float, *, probe: bool = False) -> None:
        """A request did not fail. What began before the circuit opened says nothing about now."""
        if probe:
            self._probes -= 1
            if self.state == "halfOpen":
                self._passed += 1
                if self._passed >= self._evidence.probes:
                    self._become("closed", now)
                    self._closed_at = now
        elif self._counts and self.state == "closed":
            self._count(now)[2] += 1

    def failed(self, now: float, *, probe: bool = False) -> None:
        """A request failed in a way that says that the sink is unwell."""
        if probe:
            self._probes -= 1
            if self.state == "halfOpen":
                self._open(now, longer=True)
        elif self.state == "closed":
            counts = self._count(now)
            counts[1] += 1
            if counts[1] == 1:
                counts[3] = now
            counts[4] = now
            if self._is_heavy(now):
                self._open(now, longer=now - self._closed_at < self._evidence.forget_seconds)

    def _open(self, now: float, *, longer: bool) -> None:
        evidence = self._evidence
        self._pause = min(self._pause * 2, evidence.longest_seconds) if longer else evidence.first_seconds
        self._become("open", now)
        self.until = now + self._pause
        self._counts.clear()

    def _become(self, state: State, now: float) -> None:
        self.state, self.since = state, now

    def _count(self, now: float) -> list[float]:
        """The counts of this second; what is older than every window is let go."""
        second = now // 1
        counts = self._counts
        while counts and counts[0][0] < second - self._evidence.windows_seconds[-1]:
            counts.popleft()
        if not counts or counts[-1][0] != second:
            counts.append([second, 0, 0, now, now])
        return counts[-1]

    def _is_heavy(self, now: float) -> bool:
        evidence = self._evidence
        failed = passed = 0.0
        began = last = now
        windows = iter(evidence.windows_seconds)
        window = next(windows)
        for second, failures, successes, first, _ in reversed(self._counts):
            while now - second > window:
                if self._weighs(failed, passed, last - began):
                    return True
                if (window := next(windows, 0)) == 0:
                    return False
            failed, passed = failed + failures, passed + successes
            if failures:
                began = first
        return self._weighs(failed, passed, last - began)

    def _weighs(self, failed: float, passed: float, span: float) -> bool:
        evidence = self._evidence
        return (
            failed >= evidence.failures
            and span >= evidence.span_seconds
            and failed >= evidence.share * (failed + passed)
        )
