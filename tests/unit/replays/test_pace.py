"""How many deliveries a replay may open now."""

from events.replay.pace import FIRST, LEAST, MOST, Pace


def test_without_a_rate_the_window_is_what_limits() -> None:
    pace = Pace(0)
    assert pace.room(0, None, 0) == FIRST
    assert pace.room(0, None, FIRST - 90) == 90
    assert pace.room(0, None, FIRST - 10) == 0, "it is worth a transaction when there are more"
    assert pace.room(0, None, 10 * FIRST) == 0


def test_the_window_grows_with_what_goes_out_and_shrinks_with_it() -> None:
    pace = Pace(0)
    ended = 0
    pace.observe(0, ended, 0)
    for second in range(1, 10):
        ended += 5_000
        pace.observe(second, ended, 0)
    assert pace.room(10, None, 0) == MOST
    for second in range(10, 30):
        pace.observe(second, ended, MOST)  # it takes nothing any more
    assert pace.room(30, None, 0) == LEAST
    assert pace.room(30, None, MOST) == 0


def test_a_rate_is_kept_over_any_time() -> None:
    pace = Pace(0)
    opened = 0
    for tenth in range(101):
        room = pace.room(tenth / 10, 7.0, 0)
        pace.opened(room)
        opened += room
    assert 69 <= opened <= 72
    assert pace.room(3600, 7.0, 0) <= 4, "what was not used is not made up for"


def test_a_rate_below_one_lets_one_through_in_its_time() -> None:
    pace = Pace(0)
    assert pace.room(0, 0.5, 0) == 1
    pace.opened(1)
    assert pace.room(1, 0.5, 0) == 0
    assert pace.room(2, 0.5, 0) == 1


def test_it_says_when_the_next_one_may_go() -> None:
    pace = Pace(0)
    assert pace.wait(0, 0.01) == 0
    pace.opened(pace.room(0, 0.01, 0))
    assert pace.wait(0, 0.01) == 100
    assert pace.wait(30, 0.01) == 70
    assert pace.room(60, 0.01, 0) == 0
    assert pace.wait(60, 0.01) == 40
    assert pace.wait(60, None) == 0


def test_a_stop_rule_has_something_to_judge_by_first() -> None:
    assert Pace(0, 20).room(0, None, 0) == 20
