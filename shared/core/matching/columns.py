"""Many conjunctions of comparisons, decided together.

Each row is a set of comparisons that hold together. Rows are the bits of a number. A column is a term: for a value it
has the rows that the value does not rule out, and what all columns leave is what holds. That is remembered by what a
column can tell of a value (which of the known ones it is, between which bounds it lies, what it begins with), so an
event costs a look-up for each term, and no more with many rows than with few.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from shared.core.filters import UNSURE, Attributes, Comparison, EventData, Term, key_of
from shared.core.matching.tables import Beginnings

REMEMBERED_BYTES = 256 * 1024
"""About what a column remembers."""

VALUE_BYTES = 100
"""What remembering a value takes besides its rows."""

COLUMN_BYTES = 1500
COMPARISON_BYTES = 150
"""About what a column takes, and each of its comparisons, before it remembers anything; besides its sets of rows."""

_OTHER: Final = object()


class _Bounds:
    """Rows that ask for more, or less, than a number: one look-up finds where a value lies between them.

    A bound sorts below itself as one that may be reached, so that what a value passes are those up to (value, 0), or
    those above it.
    """

    __slots__ = ("_keys", "_less", "_rows")

    def __init__(self, entries: list[tuple[float, int, int]], *, less: bool) -> None:
        entries.sort()
        self._keys = [(bound, part) for bound, part, _ in entries]
        self._rows = [row for *_, row in entries]
        self._less = less

    def failing(self, value: float) -> list[int]:
        """The rows that a number does not pass."""
        at = bisect_right(self._keys, (value, 0))
        return self._rows[:at] if self._less else self._rows[at:]

    def all(self) -> list[int]:
        """All rows."""
        return self._rows


class Column:
    """The comparisons with one term."""

    __slots__ = (
        "_begin",
        "_bounds",
        "_end",
        "_equal",
        "_exact",
        "_free",
        "_limit",
        "_others",
        "_ranges",
        "known",
        "rows",
        "size",
        "value",
    )

    def __init__(
        self, term: Term, numbers: Sequence[int], comparisons: Sequence[Comparison], rows: int
    ) -> None:
        """`numbers` are the rows of the comparisons with this term, in order; `rows` is how many there are in all."""
        self.value: Callable[[Attributes, EventData], Any] = term.value
        self._exact: dict[Hashable, int | list[int]] = {}
        self._equal: set[Hashable] = set()
        self._begin, self._end = Beginnings(), Beginnings()
        others: dict[tuple[Hashable, ...], tuple[Comparison, list[int]]] = {}
        more: list[tuple[float, int, int]] = []
        less: list[tuple[float, int, int]] = []
        looked_up: list[int] = []
        last = len(numbers) - 1
        for at, comparison in enumerate(comparisons):
            row, kind, wanted = numbers[at], comparison.kind, comparison.wanted
            if kind == "in":
                self._equal.update(wanted)
                alone = (at == 0 or numbers[at - 1] != row) and (at == last or numbers[at + 1] != row)
                if alone and not comparison.negated:
                    looked_up.append(row)
                    self._look_up(wanted, row)
                    continue
            elif kind in {">", ">="}:
                more.append((wanted, kind == ">", row))
                continue
            elif kind in {"<", "<="}:
                less.append((wanted, kind == "<=", row))
                continue
            elif kind == "prefix":
                self._begin.add(wanted)
            elif kind == "suffix":
                self._end.add(wanted[::-1])
            others.setdefault((kind, wanted, comparison.negated), (comparison, []))[1].append(row)
        self.rows = _bits(numbers)
        self._free = ((1 << rows) - 1) & ~_bits(looked_up)
        self._others = tuple(others.values())
        self._bounds = sorted({bound for bound, *_ in (*more, *less)})
        self._ranges = (_Bounds(more, less=False), _Bounds(less, less=True)) if self._bounds else ()
        self.known: dict[Hashable, int] = {}
        remembered = VALUE_BYTES + rows // 8
        self._limit = max(16, REMEMBERED_BYTES // remembered)
        # There are two places for each bound, and few values that are neither a bound nor what is looked up.
        told = min(self._limit, 4 + max(2 * len(comparisons), len(self._equal)))
        compared = COMPARISON_BYTES * max(len(comparisons), len(self._equal))
        self.size = COLUMN_BYTES + compared + 3 * (rows // 8) + told * remembered

    def _look_up(self, wanted: Iterable[Hashable], row: int) -> None:
        """A row that one value decides; most values have one such row, so that a list for each is too much."""
        for key in wanted:
            known = self._exact.get(key)
            if known is None:
                self._exact[key] = row
            elif isinstance(known, list):
                known.append(row)
            else:
                self._exact[key] = [known, row]

    def told(self, value: Any) -> Hashable:
        """All that the comparisons can tell of a value."""
        kind = type(value)
        if kind is str:
            exact = value if value in self._equal else _OTHER
            if not self._begin and not self._end:
                return exact
            end = self._end.longest(value[::-1]) if self._end else None
            return exact, self._begin.longest(value), end
        if kind is int or kind is float:
            bounds = self._bounds
            place = bisect_left(bounds, value) + bisect_right(bounds, value) if bounds else 0
            return (place, value) if value in self._equal else (place,)
        return kind, value

    def find(self, value: Any, told: Hashable) -> int:
        """The rows that a value, of which all that can be told is `told`, does not rule out."""
        failing: list[int] = []
        for comparison, rows in self._others:
            if not comparison.holds(value):
                failing.extend(rows)
        is_number = type(value) is int or type(value) is float
        for bounds in self._ranges:
            failing.extend(bounds.failing(value) if is_number else bounds.all())
        exact = self._exact.get(key_of(value), [])
        found = (self._free | _bits(exact if isinstance(exact, list) else [exact])) & ~_bits(failing)
        if len(self.known) >= self._limit:
            self.known.clear()
        self.known[told] = found
        return found


class Columns:
    """Rows of comparisons; `size` is about how many bytes they take at most."""

    __slots__ = ("_columns", "_count", "_every", "size")

    def __init__(self, rows: Sequence[Iterable[Comparison]]) -> None:
        by_term: dict[Term, tuple[list[int], list[Comparison]]] = {}
        for number, row in enumerate(rows):
            for comparison in row:
                seen = by_term.get(comparison.term)
                if seen is None:
                    seen = by_term[comparison.term] = [], []
                seen[0].append(number)
                seen[1].append(comparison)
        # Data is read last, and what many rows compare comes first: what is ruled out by then need not be worked out.
        terms = sorted(by_term.items(), key=lambda entry: (entry[0].sees_data, -len(entry[1][0])))
        columns = [Column(term, *entries, len(rows)) for term, entries in terms]
        self._columns = tuple((column.value, column.rows, column) for column in columns)
        self.size = sum(column.size for column in columns)
        self._count = len(rows)
        self._every = (1 << len(rows)) - 1

    def holding(self, attributes: Attributes, data: EventData) -> int:
        """The rows that hold or may, as the low bits, and above them, as `split` says, those of which it is not sure."""
        found = self._every
        unsure = 0
        for value_of, rows_of, column in self._columns:
            if not found & rows_of:
                continue
            value = value_of(attributes, data)
            if value is UNSURE:
                unsure |= rows_of
                continue
            told = column.told(value)
            rows = column.known.get(told)
            found &= column.find(value, told) if rows is None else rows
            if not found:
                return 0
        return found | (found & unsure) << self._count if unsure else found

    def split(self, holding: int) -> tuple[int, int]:
        """The rows that surely hold, and those that may."""
        unsure = holding >> self._count
        return holding & self._every & ~unsure, unsure


def places(rows: int) -> Iterable[int]:
    """The numbers of the rows in a set of them."""
    text = f"{rows:b}"[::-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def _bits(rows: Sequence[int]) -> int:
    """The set of these rows."""
    if len(rows) < 8:
        return reduce(or_, (1 << row for row in rows), 0)
    octets = bytearray(max(rows) // 8 + 1)
    for row in rows:
        octets[row >> 3] |= 1 << (row & 7)
    return int.from_bytes(octets, "little")
