"""Adaptive concurrency: less for a sink that is overloaded for a while, all of it again when it bears it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.concurrency import AdaptiveLimit

ANSWERS = st.lists(
    st.tuples(st.floats(0.001, 20), st.booleans(), st.integers(1, 64), st.floats(0, 2)), max_size=100
)


@given(ANSWERS, st.integers(1, 64))
def test_the_limit_stays_between_one_and_the_ceiling(
    answers: list[tuple[float, bool, int, float]], ceiling: int
) -> None:
    limit, now = AdaptiveLimit(), 0.0
    for took, overloaded, under_way, pause in answers:
        now += pause
        before = limit.within(ceiling)
        limit.answered(now + took, now, under_way, ceiling, overloaded=overloaded)
        after = limit.within(ceiling)
        assert 1 <= after <= ceiling
        assert after <= before + 1


@given(st.lists(st.floats(0.001, 30), min_size=1, max_size=80), st.integers(1, 64))
def test_a_single_latency_is_never_a_reason(jitters: list[float], ceiling: int) -> None:
    """A sink that is as slow as ever is not overloaded, whatever that is."""
    took = jitters[0]
    limit, now = AdaptiveLimit(), 0.0
    for _ in jitters:
        limit.answered(now + took, now, ceiling, ceiling, overloaded=False)
        now += 1
    assert limit.within(ceiling) == ceiling
    assert not limit.is_reduced


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 48), st.integers(1, 47))
def test_it_finds_what_a_sink_bears(ceiling: int, bears: int) -> None:
    """A sink that answers 429 to what is more than it bears gets about that, and never nothing."""
    bears = max(1, min(bears, ceiling * 6 // 10))
    limit, now = AdaptiveLimit(), 0.0
    seen = []
    for step in range(600):
        under_way = limit.within(ceiling)
        for place in range(under_way):
            limit.answered(now + 0.05, now, under_way, ceiling, overloaded=place >= bears)
        now += 0.06
        if step >= 300:
            seen.append(under_way)
    assert max(seen) <= bears + 2
    assert min(seen) >= max(1, int((bears + 1) * 0.7 * 0.7) - 1)


def test_a_hiccup_is_no_reason() -> None:
    limit = AdaptiveLimit()
    for n in range(5000):
        limit.answered(n * 0.0005 + 0.01, n * 0.0005, 32, 32, overloaded=True)
    assert limit.within(32) == 32


def test_a_few_failures_are_no_reason() -> None:
    limit = AdaptiveLimit()
    for n in range(99):
        limit.answered(n + 2.0, float(n), 32, 32, overloaded=True)
    assert limit.within(32) == 32


def test_one_round_is_cut_once() -> None:
    limit = AdaptiveLimit()
    for n in range(400):
        limit.answered(n * 0.01 + 0.01, n * 0.01, 32, 32, overloaded=True)
        if limit.is_reduced:
            break
    first, moment = limit.within(32), n * 0.01 + 0.01
    assert first == 22
    for _ in range(31):  # the rest of the round began before the cut
        limit.answered(moment + 0.02, moment - 0.01, 32, 32, overloaded=True)
    assert limit.within(32) == first
    limit.answered(moment + 0.05, moment + 0.02, 22, 32, overloaded=True)
    assert limit.within(32) == 15


def test_it_comes_back_to_what_was_asked_for() -> None:
    limit = AdaptiveLimit()
    limit.restart(4)
    assert limit.within(32) == 4
    rounds = 0
    while limit.is_reduced:
        rounds += 1
        for _ in range(limit.within(32)):
            limit.answered(rounds + 0.01, float(rounds), 4, 32, overloaded=False)
    assert rounds <= 32


def test_an_answer_much_later_than_usual_is_a_reason() -> None:
    limit, now = AdaptiveLimit(), 0.0
    for _ in range(100):
        limit.answered(now + 0.1, now, 32, 32, overloaded=False)
        now += 0.01
    for _ in range(400):
        limit.answered(now + 2.0, now, 32, 32, overloaded=False)
        now += 0.05
    assert limit.is_reduced
    assert limit.within(32) < 32


@given(st.floats(0, 30), st.floats(0, 60), st.floats(1, 60))
def test_an_answer_is_awaited_for_longer_than_it_took_so_far(
    latency: float, age: float, timeout: float
) -> None:
    limit = AdaptiveLimit()
    limit.latency = latency
    takes = limit.outlook(age, timeout)
    assert min(latency, timeout) <= takes <= timeout
    if 0 < age < timeout:
        assert takes > age
    if age > 2 * latency:
        assert takes == timeout


def test_answers_of_a_sink_that_is_as_slow_as_ever_make_no_room_for_more_of_them() -> None:
    limit = AdaptiveLimit()
    limit.latency = 2.0
    for age in (0.0, 1.0, 1.9, 2.1, 3.9):
        assert limit.outlook(age, 60) - age <= limit.outlook(0, 60)
