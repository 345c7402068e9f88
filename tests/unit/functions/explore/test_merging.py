"""Causes that one search finds are one: pure."""

from dataclasses import replace
from uuid import UUID

from functions.explore.counts.causes import Cause, merged

ONE, OTHER = UUID(int=1), UUID(int=2)
REFUSED = Cause(
    status="dead",
    subscription=ONE,
    status_code=None,
    error="no connection: Connection refused",
    name="crm",
    sink="https://crm.test/",
    count=3,
    first=UUID(int=10),
    last=UUID(int=20),
)


def test_an_error_takes_in_those_that_it_is_part_of() -> None:
    longer = replace(
        REFUSED,
        error="No Connection: connection refused, twice",
        count=2,
        first=UUID(int=5),
        last=UUID(int=30),
        name="crm-customer",
    )
    (cause,) = merged([longer, REFUSED])
    assert cause == replace(REFUSED, count=5, first=UUID(int=5), last=UUID(int=30), name="crm-customer")


def test_what_differs_otherwise_stays_apart() -> None:
    others = [
        replace(REFUSED, subscription=OTHER),
        replace(REFUSED, status="retrying"),
        replace(REFUSED, error="no answer within 5 s", count=7),
        replace(REFUSED, error=None, status_code=503, count=9),
        replace(REFUSED, error=None, status_code=500, count=1),
    ]
    found = merged([REFUSED, *others])
    assert [cause.count for cause in found] == [9, 7, 3, 3, 3, 1]
    assert set(found) == {REFUSED, *others}


def test_no_more_of_an_error_is_told_than_a_list_can_be_asked_for() -> None:
    long = replace(REFUSED, error="a" * 300)
    (cause,) = merged([long, replace(long, error="a" * 250 + "b")])
    assert (cause.error, cause.count) == ("a" * 200, 6)
