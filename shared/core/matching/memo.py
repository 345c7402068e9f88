"""A bounded memory of what was found before."""

import sys
from collections.abc import Hashable
from typing import Generic, TypeVar
from weakref import WeakSet

V = TypeVar("V")

ENTRY_BYTES = 350
"""What an entry takes besides its key and its value: its places in a table that doubles, and what holds its weight."""


class Budget:
    """How many bytes memories may fill together before all of them forget what was not used of late."""

    __slots__ = ("_filled", "_memos", "limit")

    def __init__(self, limit: int) -> None:
        """`limit` is the bytes of a generation: at most twice that is kept."""
        self.limit = limit
        self._filled = 0
        self._memos: WeakSet[Memo[object]] = WeakSet()

    def join(self, memo: "Memo[V]") -> None:
        """Count what this memory keeps, as long as there is that memory."""
        self._memos.add(memo)  # type: ignore[arg-type]

    def take(self, weight: int) -> None:
        """Make place for so many bytes more."""
        self._filled += weight
        if self._filled <= self.limit:
            return
        # Those that are gone have not said so.
        self._filled = weight + sum(memo.weight for memo in self._memos)
        if self._filled <= self.limit:
            return
        for memo in self._memos:
            memo.age()
        self._filled = weight

    def give(self, weight: int) -> None:
        """So many bytes are free again."""
        self._filled -= weight


class Memo(Generic[V]):
    """Keeps the entries of late: two generations, of which the older one is forgotten when the budget is full."""

    __slots__ = ("__weakref__", "_budget", "_old", "_young", "weight")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.weight = 0
        self._young: dict[Hashable, tuple[V, int]] = {}
        self._old: dict[Hashable, tuple[V, int]] = {}
        budget.join(self)

    def get(self, key: Hashable) -> V | None:
        """What is known for `key`."""
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None) if self._old else None
            if found is None:
                return None
            self._put(key, *found)
        return found[0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Remember it; `size` is the bytes of the value."""
        # One that is larger than all may be must not drive out the rest with every event.
        self._put(key, value, min(ENTRY_BYTES + bytes_of(key) + size, self._budget.limit // 2))

    def _put(self, key: Hashable, value: V, weight: int) -> None:
        self._budget.take(weight)
        self.weight += weight
        self._young[key] = (value, weight)

    def age(self) -> None:
        """Forget what was not used since this was last called."""
        self._old = self._young
        self._young = {}
        self.weight = 0

    def clear(self) -> None:
        """Forget everything."""
        self._budget.give(self.weight)
        self.weight = 0
        self._young = {}
        self._old = {}


def bytes_of(key: Hashable) -> int:
    """What a key takes; what belongs to others, such as a type, is not counted."""
    if isinstance(key, tuple | frozenset):
        return sys.getsizeof(key) + sum(map(bytes_of, key))
    return 0 if isinstance(key, type) else sys.getsizeof(key)
