"""Where two JSON documents differ, by JSON pointer: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from shared.core.pointers import MISSING, write_pointer

DEPTH = 100
"""Deeper than this a part counts as one value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place; `left` or `right` is MISSING where only the other document has something."""

    pointer: str
    left: Any
    right: Any


def differences(left: Any, right: Any) -> Iterator[Difference]:
    """The places where `right` is not what `left` is, in the order of `left`, then what only `right` has.

    Objects are compared member by member, arrays element by element, everything else as a whole.
    """
    yield from _compare((), left, right)


def _compare(path: tuple[str | int, ...], left: Any, right: Any) -> Iterator[Difference]:
    if len(path) < DEPTH and type(left) is type(right) and isinstance(left, dict | list):
        for step, one, other in _pairs(left, right):
            yield from _compare((*path, step), one, other)
    elif not _same(left, right):
        yield Difference(write_pointer(path), left, right)


def _pairs(left: Any, right: Any) -> Iterator[tuple[str | int, Any, Any]]:
    if isinstance(left, list):
        for index, (one, other) in enumerate(zip_longest(left, right, fillvalue=MISSING)):
            yield index, one, other
        return
    for name, value in left.items():
        yield name, value, right.get(name, MISSING)
    for name, value in right.items():
        if name not in left:
            yield name, MISSING, value


def _same(left: Any, right: Any) -> bool:
    # To Python true is 1; to JSON it is not.
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)
