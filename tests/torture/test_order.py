"""What `make torture` counts as a violation of order."""

from tests.torture.order import Order


def counted(*steps: tuple[str, int]) -> tuple[int, int]:
    order = Order()
    for what, number in steps:
        (order.begin if what == "begin" else order.end)("k", number)
    return order.violations.total(), order.late


def test_one_after_the_other_is_in_order() -> None:
    assert counted(("begin", 1), ("end", 1), ("begin", 2), ("end", 2)) == (0, 0)


def test_a_retry_is_in_order() -> None:
    assert counted(("begin", 1), ("begin", 1), ("end", 1), ("begin", 2)) == (0, 0)


def test_a_repeat_in_its_turn_is_in_order() -> None:
    assert counted(("begin", 1), ("end", 1), ("begin", 1), ("end", 1), ("begin", 2)) == (0, 0)


def test_a_start_before_the_end_of_the_one_before_is_a_violation() -> None:
    assert counted(("begin", 1), ("begin", 2)) == (1, 0)


def test_an_event_that_overtakes_is_one_violation_however_late_the_other_comes() -> None:
    assert counted(("begin", 2), ("end", 2), ("begin", 1), ("end", 1), ("begin", 3)) == (1, 0)


def test_a_repeat_after_the_next_has_begun_is_late() -> None:
    assert counted(("begin", 1), ("end", 1), ("begin", 2), ("begin", 1)) == (0, 1)


def test_keys_do_not_wait_for_each_other() -> None:
    order = Order()
    order.begin("a", 1)
    order.begin("b", 1)
    order.end("b", 1)
    order.begin("b", 2)
    assert not order.violations
