"""The circuit breaker: opens on heavy evidence alone, lets one probe through at a time, closes on success."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.core.breaker import Breaker, Evidence, is_overloaded, is_unwell
from shared.core.retry import Outcome

QUICK = Evidence(failures=5, span_seconds=2.0, windows_seconds=(4, 10), probes=2, longest_seconds=8.0)


class Circuit(RuleBasedStateMachine):
    """A breaker beside a plain record of all that was told to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.breaker = Breaker(self.now, QUICK)
        self.told: list[tuple[float, bool]] = []
        self.probes = 0
        self.early: list[float] = []
        self.opened_for: list[float] = []

    # In parts of a second that add up without rounding.
    @rule(seconds=st.integers(0, 3 * 64).map(lambda parts: parts / 64))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.breaker.state == "closed")
    @rule(fails=st.booleans(), times=st.integers(1, 6))
    def answer(self, fails: bool, times: int) -> None:
        for _ in range(times):
            if self.breaker.state != "closed":
                return
            assert self.breaker.may_start(self.now)
            assert not self.breaker.started()
            self.told.append((self.now, fails))
            if fails:
                self.breaker.failed(self.now)
            else:
                self.breaker.succeeded(self.now)
        if self.breaker.state == "open":
            self._opened()

    def _opened(self) -> None:
        recent = [t for t, failed in self.told if failed and self.now - t <= 11]
        assert len(recent) >= QUICK.failures
        assert recent[-1] - recent[0] >= QUICK.span_seconds
        self.told.clear()
        assert self.breaker.wait_seconds(self.now) >= QUICK.first_seconds

    @rule()
    def probe(self) -> None:
        if self.breaker.state == "closed" or not self.breaker.may_start(self.now):
            return
        assert self.breaker.state == "halfOpen"
        assert self.breaker.started()
        self.probes += 1
        assert not self.breaker.may_start(self.now)

    @precondition(lambda self: self.probes)
    @rule(end=st.sampled_from(["failed", "succeeded", "abandoned"]))
    def end_probe(self, end: str) -> None:
        self.probes -= 1
        if end == "abandoned":
            self.breaker.abandoned()
            assert self.breaker.may_start(self.now)
        elif end == "failed":
            self.breaker.failed(self.now, probe=True)
            assert self.breaker.state == "open"
            assert QUICK.first_seconds <= self.breaker.until - self.now <= QUICK.longest_seconds
        else:
            self.breaker.succeeded(self.now, probe=True)
            assert self.breaker.state in {"halfOpen", "closed"}

    @rule(fails=st.booleans())
    def late(self, fails: bool) -> None:
        """An answer to a request that began before the circuit opened changes nothing then."""
        if self.breaker.state == "closed":
            return
        before = (self.breaker.state, self.breaker.until)
        if fails:
            self.breaker.failed(self.now)
        else:
            self.breaker.succeeded(self.now)
        assert (self.breaker.state, self.breaker.until) == before

    @invariant()
    def one_probe_at_most(self) -> None:
        assert self.probes <= 1
        if self.breaker.state == "open":
            assert not self.breaker.may_start(self.breaker.until - 0.001)
            assert self.breaker.until - self.breaker.since <= QUICK.longest_seconds + 1e-6


TestCircuit = Circuit.TestCase


def fail_for(breaker: Breaker, began: float, seconds: float, per_second: float) -> float:
    now = began
    while now - began < seconds and breaker.state == "closed":
        breaker.failed(now)
        now += 1 / per_second
    return now


def test_a_burst_of_failures_opens_nothing() -> None:
    # What a test of retries looks like: 50 events, 6 attempts each, within some seconds.
    breaker = Breaker(0.0)
    fail_for(breaker, 0.0, 9.5, 300)
    assert breaker.state == "closed"


def test_few_failures_over_a_long_time_open_nothing() -> None:
    breaker = Breaker(0.0)
    fail_for(breaker, 0.0, 3600, 1.5)
    assert breaker.state == "closed"


def test_a_dead_sink_is_found_after_ten_seconds() -> None:
    breaker = Breaker(0.0)
    now = fail_for(breaker, 0.0, 60, 20)
    assert breaker.state == "open"
    assert 10 <= now <= 11
    assert not breaker.may_start(now)
    assert breaker.wait_seconds(now) > 0.9


def test_a_hanging_sink_is_found_too() -> None:
    # 32 requests at once that end after 15 seconds without an answer.
    breaker = Breaker(0.0)
    now = fail_for(breaker, 0.0, 120, 32 / 15)
    assert breaker.state == "open"
    assert now < 60


def test_a_sink_that_answers_some_stays_closed() -> None:
    breaker = Breaker(0.0)
    for n in range(10_000):
        breaker.failed(n / 50)
        if n % 10 == 0:
            breaker.succeeded(n / 50)
    assert breaker.state == "closed"


def test_a_sink_that_dies_after_a_good_time_is_found() -> None:
    breaker = Breaker(0.0)
    breaker.failed(0.0)
    for n in range(6000):
        breaker.succeeded(n / 100)
    now = fail_for(breaker, 60.0, 60, 50)
    assert breaker.state == "open"
    assert now < 85


def test_pauses_grow_and_a_well_sink_starts_anew() -> None:
    breaker = Breaker(0.0)
    now = fail_for(breaker, 0.0, 60, 50)
    pauses = []
    for _ in range(8):
        pauses.append(round(breaker.until - breaker.since, 3))
        now = breaker.until
        assert breaker.may_start(now)
        breaker.failed(now, probe=breaker.started())
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    for _ in range(2):
        now = max(now, breaker.until)
        assert breaker.may_start(now)
        breaker.succeeded(now, probe=breaker.started())
    assert breaker.state == "closed"
    later = now + 1000
    fail_for(breaker, later, 60, 50)
    assert round(breaker.until - breaker.since, 3) == 1


def test_which_answers_count() -> None:
    assert all(is_unwell(Outcome(code)) for code in (None, 429, 500, 503, 599))
    assert not any(is_unwell(Outcome(code)) for code in (200, 301, 400, 404, 408, 410, 422))
    assert is_overloaded(Outcome(None), 1.0, 1.0)
    assert not is_overloaded(Outcome(None), 0.1, 1.0)
    assert is_overloaded(Outcome(429), 0.1, 1.0)
    assert not is_overloaded(Outcome(500), 0.1, 1.0)
