"""What `make torture` counts as lost, and when it fails."""

from tests.torture.account import Account, Found, account
from tests.torture.report import Row

ACKNOWLEDGED = {"a": "1", "b": "2"}


def test_what_arrived_everywhere_is_delivered() -> None:
    found = account(ACKNOWLEDGED, Found({"1", "2"}, [{"a", "b"}, {"a", "b"}], [set(), set()]))
    assert found == Account(acknowledged=2, stored=2, delivered=2)


def test_what_has_not_arrived_and_waits_is_not_lost() -> None:
    found = account(ACKNOWLEDGED, Found({"1", "2"}, [{"a", "b"}, {"a"}], [set(), {"2"}]))
    assert found == Account(acknowledged=2, stored=2, delivered=1, waiting=1)


def test_what_neither_arrived_nor_waits_is_lost() -> None:
    # It waits for the other subscription, which has it already.
    found = account(ACKNOWLEDGED, Found({"1", "2"}, [{"a", "b"}, {"a"}], [{"2"}, set()]))
    assert found.lost == ["b"]


def test_what_is_not_stored_is_lost_even_when_it_arrived() -> None:
    found = account(ACKNOWLEDGED, Found({"1"}, [{"a", "b"}], [set()]))
    assert (found.stored, found.lost) == (1, ["b"])


def test_what_has_no_delivery_for_a_bad_sink_is_lost() -> None:
    found = account(ACKNOWLEDGED, Found({"1", "2"}, [{"a", "b"}], [set()], [{"1"}]))
    assert found.lost == ["b"]


def whole(**other: object) -> Row:
    fields = {"acknowledged": 2, "stored": 2, "delivered": 2}
    recovered = {"acknowledged_after_seconds": 0.1, "drained_after_seconds": 0.2}
    return Row("n", "s", **(fields | recovered | other))


def test_a_row_that_holds_has_no_problems() -> None:
    assert whole().problems() == []
    assert whole(duplicates=3, bound=3, answers={0: 1, 202: 2, 503: 9}).problems() == []


def test_everything_that_must_not_be_is_a_problem() -> None:
    for row, said in (
        (whole(lost=["b"]), "1 events are lost, such as b"),
        (whole(waiting=1), "1 deliveries still wait"),
        (whole(stored=1), "1 acknowledged events are not stored"),
        (whole(violations=2), "2 deliveries started before their turn"),
        (whole(duplicates=1), "1 repeats, where 0 are explained"),
        (whole(duplicates=4, bound=3), "4 repeats, where 3 are explained"),
        (whole(memory_mib=900), "a dispatching process took 900 MiB"),
        (whole(answers={202: 2, 500: 1}), "ingest answered {500: 1}"),
        (whole(fallen=["dispatch-0"]), "ended by itself: dispatch-0"),
        (whole(drained_after_seconds=None), "it did not recover in time"),
        (whole(acknowledged=0, stored=0), "nothing was acknowledged"),
        (whole(broke="OSError: x"), "it could not be played: OSError: x"),
    ):
        assert row.problems() == [said]
