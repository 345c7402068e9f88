from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rollups.times import SMALLEST_US, class_of, middle_ms, percentile_ms

DURATIONS = st.floats(SMALLEST_US, 30 * 86_400 * 1e6)


@given(DURATIONS)
def test_a_class_stands_for_its_durations_within_an_eleventh(duration_us: float) -> None:
    assert middle_ms(class_of(duration_us)) == pytest.approx(duration_us / 1000, rel=1 / 11)


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_sorted_one_within_an_eleventh(durations: list[float], share: float) -> None:
    found = percentile_ms(Counter(map(class_of, durations)), share)
    exact = next(d for n, d in enumerate(sorted(durations), 1) if n >= share * len(durations))
    assert found == pytest.approx(exact / 1000, rel=1 / 11)


def test_nothing_has_no_percentile_and_what_took_no_time_has_the_smallest() -> None:
    assert percentile_ms({}, 0.95) is None
    assert class_of(0) == class_of(-5) == 0
