"""Tables of the texts that filters compare an attribute with."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

TOLD: Final = 500
"""Values that an attribute had of late: a type or a source comes again, and is looked up once."""

TOLD_LENGTH: Final = 250
"""How long those are at most: what is longer is looked up each time."""


class Beginnings:
    """Texts that a value may begin with; finds those that it does without trying each.

    The texts are kept sorted, each with the longest other one that it begins with. The last text that sorts
    before a value is, or begins with, the longest text that the value begins with.
    """

    __slots__ = ("_counts", "_keys", "_parents")

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._keys: list[str] | None = []
        self._parents: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, text: str) -> None:
        """Count one more use of `text`."""
        self._counts[text] = self._counts.get(text, 0) + 1
        if self._counts[text] == 1:
            self._keys = None

    def drop(self, text: str) -> None:
        """Count one use less."""
        self._counts[text] -= 1
        if not self._counts[text]:
            del self._counts[text]
            self._keys = None

    def longest(self, value: str) -> str | None:
        """The longest text that `value` begins with: all the others it begins with are beginnings of that."""
        keys = self._sorted()
        at = bisect_right(keys, value) - 1
        while at >= 0:
            if value.startswith(keys[at]):
                return keys[at]
            at = self._parents[at]
        return None

    def within(self, longest: str | None) -> Iterator[str]:
        """That text and those that it begins with."""
        if longest is None:
            return
        keys = self._sorted()
        at = bisect_right(keys, longest) - 1
        while at >= 0:
            yield keys[at]
            at = self._parents[at]

    def _sorted(self) -> list[str]:
        keys = self._keys
        if keys is None:
            keys = self._keys = sorted(self._counts)
            parents = self._parents = [-1] * len(keys)
            open_keys: list[int] = []
            for at, key in enumerate(keys):
                while open_keys and not key.startswith(keys[open_keys[-1]]):
                    open_keys.pop()
                parents[at] = open_keys[-1] if open_keys else -1
                open_keys.append(at)
        return keys


class Texts:
    """All texts that one attribute is compared with.

    `kind_of` maps a value to what can be told of it by these comparisons: values of the same kind are alike to
    every one of them.
    """

    __slots__ = ("_told", "beginnings", "endings", "exact", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.exact: dict[str, int] = {}
        self.beginnings = Beginnings()
        self.endings = Beginnings()
        self._told: dict[str, tuple[str | None, str | None, str | None]] = {}

    def __bool__(self) -> bool:
        return bool(self.exact or self.beginnings or self.endings)

    def add(self, dialect: str, text: str) -> None:
        """Count one more use of a comparison."""
        self._told.clear()
        if dialect == "exact":
            self.exact[text] = self.exact.get(text, 0) + 1
        elif dialect == "prefix":
            self.beginnings.add(text)
        else:
            self.endings.add(text[::-1])

    def drop(self, dialect: str, text: str) -> None:
        """Count one use less."""
        self._told.clear()
        if dialect == "exact":
            self.exact[text] -= 1
            if not self.exact[text]:
                del self.exact[text]
        elif dialect == "prefix":
            self.beginnings.drop(text)
        else:
            self.endings.drop(text[::-1])

    @property
    def is_exact(self) -> bool:
        """Whether values are compared as a whole only."""
        return not (self.beginnings or self.endings)

    def kind_of(self, value: str) -> tuple[str | None, str | None, str | None]:
        """The text it is, the longest it begins with, and the longest it ends with, reversed."""
        told = self._told.get(value)
        if told is None:
            told = (
                value if value in self.exact else None,
                self.beginnings.longest(value) if self.beginnings else None,
                self.endings.longest(value[::-1]) if self.endings else None,
            )
            if len(value) <= TOLD_LENGTH:
                if len(self._told) >= TOLD:
                    self._told.clear()
                self._told[value] = told
        return told
