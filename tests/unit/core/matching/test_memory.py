"""What is remembered of events takes no more bytes than it may, however many there are of what sort."""

import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from shared.core.cloudevents import DataKind
from shared.core.filters import Attributes, EventData, compile_filters
from shared.core.matching import Budget, MatchIndex
from shared.core.matching.columns import Columns
from shared.core.matching.memo import ENTRY_BYTES, Memo, bytes_of
from shared.core.matching.tables import Texts

LIMIT = 500_000
"""Bytes of a generation."""


def json_of(value: Any) -> EventData:
    return EventData(json.dumps(value).encode(), DataKind.JSON)


def wide(number: int) -> str:
    """One of two members of the data is told from 2,000 others."""
    return f'data.{"cp"[number % 2]} == "{number}"'


def of_two(number: int, of: int = 2000) -> tuple[Attributes, Any]:
    """Each with two members of its own."""
    return {"type": "a"}, {"c": str(number * 2 % of), "p": str((number * 14 + 1) % of)}


def alternatives(number: int) -> str:
    return " || ".join(wide(number * 50 + one) for one in range(50))


SORTS: dict[str, tuple[int, Callable[[int], Any], Callable[[int], tuple[Attributes, Any]]]] = {
    "rows": (2000, lambda n: {"cel": wide(n)}, of_two),
    "rows of one type": (300, lambda n: {"cel": f'type == "a" && {wide(n)}'}, lambda n: of_two(n % 150)),
    "alternatives": (200, lambda n: {"cel": alternatives(n)}, lambda n: of_two(n, 10_000)),
    "rows that may hold": (
        1000,
        lambda n: {"cel": f'data.c == "{n}" && data.n > {n % 7}'},
        lambda n: ({"type": "a"}, {"c": str(n % 1000), "n": 2**60 + n}),
    ),
    "kinds": (
        2000,
        lambda n: {"exact": {"type": f"com.example.{n}"}},
        lambda n: ({"type": f"com.example.{n}", "source": "/s"}, {}),
    ),
    "kinds with long texts": (
        500,
        lambda n: {"exact": {"type": f"{n:02000}"}},
        lambda n: ({"type": f"{n % 500:02000}"}, {}),
    ),
    "members": (
        2000,
        lambda n: {"prefix": {"type": f"com.{n % 5}"}},
        lambda n: ({"type": f"com.{n % 5}", "subject": str(n)}, {}),
    ),
    "values": (
        10,
        lambda n: {"sql": f"type = 'a' AND subject LIKE '%{n}%'"},
        lambda n: ({"type": "a", "subject": f"{n:02000}"}, {}),
    ),
    "rows of many types": (
        400,
        lambda n: {"cel": f'type == "{n % 20}" && data.total > {n} && data.country == "C{n % 4}"'},
        lambda n: ({"type": f"{n % 20}"}, {"total": n * 37 % 400, "country": f"C{n % 3}"}),
    ),
}


def memories(index: MatchIndex[int]) -> list[Memo[Any]]:
    return [index._kinds, index._values, index._decided, index._columns]


def test_there_is_no_memory_that_does_not_count() -> None:
    index: MatchIndex[int] = MatchIndex()
    assert [one for one in vars(index).values() if isinstance(one, Memo)] == memories(index)


@pytest.mark.parametrize("sort", SORTS)
def test_many_events_do_not_fill_the_memory(sort: str) -> None:
    count, filter_of, event_of = SORTS[sort]
    index: MatchIndex[int] = MatchIndex(Budget(LIMIT))
    for number in range(count):
        index.put(number, number, compile_filters([filter_of(number)]))
    index.match({"type": "none of them"}, json_of({}))
    tracemalloc.start()
    try:
        for number in range(2000):
            attributes, value = event_of(number)
            index.match(attributes, json_of(value))
        gc.collect()
        filled = tracemalloc.get_traced_memory()[0]
        for memo in memories(index):
            memo.clear()
        gc.collect()
        remembered = filled - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0 < remembered <= 2 * LIMIT, remembered
    if sort not in {"members", "rows of one type"}:
        assert remembered > LIMIT / 4, remembered


def test_what_columns_take_is_told_before_they_are_asked() -> None:
    for make in (
        lambda n: f"data.n > {n}",
        lambda n: f'data.c == "{n}"',
        lambda n: f'data.c in ["{n}", "a{n}", "b{n}"]',
        lambda n: f'data.c.startsWith("{n}")',
        lambda n: f"data.m{n} != 1",
        lambda n: f'data.n > {n} && data.c == "{n}"',
    ):
        needs = [compile_filters([{"cel": make(number)}]) for number in range(100)]
        index: MatchIndex[int] = MatchIndex()
        for number, filter_ in enumerate(needs):
            index.put(number, number, filter_)
        rows = [row.need.comparisons for group in index._unplaced for row in group.rows]
        tracemalloc.start()
        try:
            columns = Columns(rows)
            for number in range(200):
                columns.holding({}, json_of({"n": number - 0.5, "c": str(number), f"m{number}": number % 3}))
            gc.collect()
            filled, told = tracemalloc.get_traced_memory()[0], columns.size
            del columns
            gc.collect()
            taken = filled - tracemalloc.get_traced_memory()[0]  # others in this process take some too
        finally:
            tracemalloc.stop()
        assert taken <= told <= 5 * taken, make(1)


def test_memories_share_what_they_may_fill() -> None:
    budget = Budget(20 * (ENTRY_BYTES + 300))
    first, second = Memo[int](budget), Memo[int](budget)
    first.put(-1, -1, 10)
    for number in range(1000):
        second.put(number, number, 10)
    assert first.get(-1) is None
    assert len(second._young) + len(second._old) <= 80
    assert second.get(999) == 999
    assert second.get(1) is None


def test_what_is_used_is_kept() -> None:
    budget = Budget(20 * (ENTRY_BYTES + 300))
    first, second = Memo[int](budget), Memo[int](budget)
    first.put(-1, -1, 10)
    for number in range(1000):
        second.put(number, number, 10)
        assert first.get(-1) == -1


def test_what_is_forgotten_does_not_count() -> None:
    one = ENTRY_BYTES + bytes_of(0) + 1000
    budget = Budget(3 * one)
    kept = Memo[int](budget)
    kept.put(1, 1, 1000)
    for _ in range(10):
        cleared = Memo[int](budget)
        cleared.put(1, 1, 1000)
        cleared.clear()
    for _ in range(10):
        gone = Memo[int](budget)
        gone.put(1, 1, 1000)
        del gone
    assert 1 in kept._young


def test_one_that_is_larger_than_all_may_be_does_not_drive_out_the_rest() -> None:
    budget = Budget(20 * (ENTRY_BYTES + 300))
    large, small = Memo[int](budget), Memo[int](budget)
    large.put(0, 0, 1_000_000)
    for number in range(5):
        small.put(number, number, 10)
    assert large.get(0) == 0
    assert len(small._young) == 5


def test_long_texts_of_events_are_not_kept() -> None:
    texts = Texts("subject")
    texts.add("prefix", "a")
    for value in ("ab", "a" * 100_000):
        assert texts.kind_of(value) == (None, "a", None)
    assert list(texts._told) == ["ab"]
