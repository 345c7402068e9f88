"""A bounded memory of what was found before."""

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Memo(Generic[V]):
    """Keeps the entries of late: two generations, of which the older one is forgotten when the younger is full."""

    __slots__ = ("_limit", "_old", "_weight", "_young")

    def __init__(self, limit: int) -> None:
        """`limit` is the weight of a generation."""
        self._limit = limit
        self._weight = 0
        self._young: dict[Hashable, tuple[V, int]] = {}
        self._old: dict[Hashable, tuple[V, int]] = {}

    def get(self, key: Hashable) -> V | None:
        """What is known for `key`."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None) if self._old else None
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Hashable, value: V, weight: int) -> None:
        """Remember it."""
        self._weight += weight
        if self._weight > self._limit:
            self._old = self._young
            self._young = {}
            self._weight = weight
        self._young[key] = (value, weight)

    def clear(self) -> None:
        """Forget everything."""
        self._weight = 0
        self._young = {}
        self._old = {}
