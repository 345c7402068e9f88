"""A shared bucket lets through what it says, however it is shared."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.token_bucket import LEASE_SECONDS, Bucket, Limit, Share, limit_of

LIMITS = st.builds(Limit, rate_per_second=st.integers(1, 500), burst=st.integers(1, 500))
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 40), st.floats(0, 2, allow_nan=False)), max_size=200
)


class Processes:
    """Four processes that share a bucket, as `functions/ingest/limits.py` lets them."""

    def __init__(self, limit: Limit) -> None:
        self.bucket = Bucket(limit, 0)
        self.shares = [Share(limit, 0) for _ in range(4)]

    def enter(self, process: int, cost: int, now: float, clock: float | None = None) -> bool:
        share = self.shares[process]
        if share.spend(cost, now):
            return True
        if share.is_closed(now):
            return False
        given = self.bucket.lease(
            cost, share.limit.portion, share.settle(now), now if clock is None else clock
        )
        share.answer(given, self.bucket.balance, now)
        return share.spend(cost, now)


@given(LIMITS, STEPS)
def test_single_events_never_exceed_the_rate_and_the_burst(limit: Limit, steps) -> None:
    processes, now, passed = Processes(limit), 0.0, 0
    for process, _, pause in steps:
        now += pause / limit.rate_per_second
        passed += processes.enter(process, 1, now)
        assert passed <= limit.burst + limit.rate_per_second * now + 1e-6


@given(LIMITS, STEPS)
def test_batches_go_into_debt_by_one_batch_at_most(limit: Limit, steps) -> None:
    processes, now, passed, largest = Processes(limit), 0.0, 0, 1
    for process, cost, pause in steps:
        now += pause
        if processes.enter(process, cost, now):
            passed += cost
            largest = max(largest, cost)
        assert passed <= limit.burst + limit.rate_per_second * now + largest - 1 + 1e-6


@given(LIMITS, st.integers(1, 100_000))
def test_a_debt_is_paid_before_anything_else_is_let_through(limit: Limit, cost: int) -> None:
    bucket = Bucket(limit, 0)
    assert bucket.take(cost, 0)
    paid = (cost + 1 - limit.burst) / limit.rate_per_second
    if paid > 1e-6:
        assert not bucket.take(1, paid * 0.999 - 1e-6)
    assert bucket.take(1, max(paid, 0) + 1e-6)


@given(LIMITS, STEPS, st.lists(st.floats(-0.9, 0.9, allow_nan=False), min_size=200, max_size=200))
def test_a_clock_that_trembles_does_no_harm(limit: Limit, steps, trembling: list[float]) -> None:
    processes, now, passed = Processes(limit), 0.0, 0
    for (process, _, pause), offset in zip(steps, trembling, strict=False):
        now += pause
        passed += processes.enter(process, 1, now, now + offset)
        assert passed <= limit.burst + limit.rate_per_second * (now + 0.9) + 1e-6


@given(LIMITS, st.floats(2, 1e6))
def test_a_clock_that_was_set_back_blocks_nobody(limit: Limit, back: float) -> None:
    bucket = Bucket(limit, 1e7)
    assert bucket.take(limit.burst, 1e7)
    assert not bucket.take(1, 1e7 - back)
    assert bucket.take(1, 1e7 - back + 1 / limit.rate_per_second + 1e-3)


@given(LIMITS, STEPS)
def test_without_the_bucket_each_process_keeps_the_limit_by_itself(limit: Limit, steps) -> None:
    share, now, passed = Share(limit, 0), 0.0, 0
    for _, _, pause in steps:
        now += pause
        passed += share.spend_locally(1, now)
        assert passed <= limit.burst + limit.rate_per_second * now + 1e-6
        assert 0 <= share.remaining(now) <= limit.burst


@given(LIMITS, STEPS)
def test_what_was_spent_without_the_bucket_is_told_to_it(limit: Limit, steps) -> None:
    """A bucket that was away for a moment lets no more through than one that was there."""
    processes, now, passed = Processes(limit), 0.0, 0
    share = processes.shares[0]
    for kind, _, pause in steps:
        now += pause / limit.rate_per_second
        passed += share.spend_locally(1, now) if kind else processes.enter(0, 1, now)
        # What was spent locally while the portion in hand was not used up comes on top of it.
        assert passed <= limit.burst + limit.rate_per_second * now + limit.portion + 1


def test_what_was_taken_in_advance_is_let_go_after_a_while() -> None:
    limit = Limit(100, 100)
    bucket, share = Bucket(limit, 0), Share(limit, 0)
    share.answer(bucket.lease(1, limit.portion, 0, 0), bucket.balance, 0)
    assert share.spend(1, 0)
    assert share.remaining(0) == 99
    assert not share.spend(1, LEASE_SECONDS)


def test_an_empty_bucket_is_left_alone_until_it_has_a_token() -> None:
    limit = Limit(10, 1)
    bucket, share = Bucket(limit, 0), Share(limit, 0)
    share.answer(bucket.lease(1, 1, 0, 0), bucket.balance, 0)
    assert share.spend(1, 0)
    share.answer(bucket.lease(1, 1, 0, 0), bucket.balance, 0)
    assert share.is_closed(0.05)
    assert share.wait_seconds(0.05) > 0
    assert not share.is_closed(0.11)


def test_a_question_that_was_not_answered_is_asked_again() -> None:
    limit = Limit(1, 10)
    share = Share(limit, 0)
    assert share.spend_locally(4, 0)
    told = share.settle(0)
    assert told == 4
    assert share.settle(0) == 0
    share.unsettle(told)
    assert share.settle(1) == 3


def test_no_rate_is_no_limit() -> None:
    assert limit_of(None, None) is None
    assert limit_of(5, None) == Limit(5, 5)
    assert limit_of(5, 50) == Limit(5, 50)
