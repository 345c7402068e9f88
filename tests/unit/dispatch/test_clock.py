"""When the database's clock counts as set back."""

from hypothesis import given
from hypothesis import strategies as st

from events.dispatch.clock import TOLERANCE_SECONDS, DatabaseClock

HOUR = 3600.0


def test_the_first_look_says_nothing() -> None:
    assert DatabaseClock().observe(1.8e9, 5.0) == 0


def test_an_hour_back_is_told_once() -> None:
    clock = DatabaseClock()
    clock.observe(1.8e9, 0)
    assert clock.observe(1.8e9 + 10 - HOUR, 10) == HOUR
    assert clock.observe(1.8e9 + 20 - HOUR, 20) == 0


def test_an_hour_ahead_is_no_reason_to_act() -> None:
    clock = DatabaseClock()
    clock.observe(1.8e9, 0)
    assert clock.observe(1.8e9 + 10 + HOUR, 10) == 0
    assert clock.observe(1.8e9 + 20, 20) == HOUR


@given(st.lists(st.floats(0, TOLERANCE_SECONDS - 0.01), max_size=20))
def test_drift_is_never_taken_for_it(drifts: list[float]) -> None:
    clock = DatabaseClock()
    for monotonic, drift in enumerate(drifts):
        assert clock.observe(1.8e9 + monotonic + drift, monotonic) == 0
