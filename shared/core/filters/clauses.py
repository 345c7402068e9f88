"""Compiled dialect objects. Each can be asked whether an event passes, and why it does not."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any as Json
from typing import Protocol

from shared.core.filters.data import NO_DATA, EventData
from shared.core.filters.verdict import MATCHED, Attributes, Verdict, canonical, fact, joined

LEAVES: dict[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
}


class Clause(Protocol):
    """A compiled dialect object.

    `key` is equal for clauses that judge every event alike, as far as that can be seen. `names` are the
    attributes it looks at, `sees_data` is whether it looks at data too.
    """

    @property
    def key(self) -> Hashable: ...
    @property
    def sees_data(self) -> bool: ...
    def matches(self, attributes: Attributes, data: EventData) -> bool: ...
    def explain(self, attributes: Attributes, data: EventData) -> Verdict: ...
    def names(self) -> Iterator[str]: ...


class Leaf:
    """`exact`, `prefix` or `suffix`: every entry must hold; a missing attribute does not match (S15)."""

    __slots__ = ("_clause", "_test", "dialect", "entries", "key")
    sees_data = False

    def __init__(self, dialect: str, entries: Mapping[str, str], clause: dict[str, Json]) -> None:
        self.dialect = dialect
        self.entries = tuple(entries.items())
        self.key: Hashable = (dialect, tuple(sorted(self.entries)))
        self._test = LEAVES[dialect]
        self._clause = clause

    def _failing(self, attributes: Attributes) -> str | None:
        """The first attribute that is not as wanted."""
        for name, wanted in self.entries:
            value = attributes.get(name)
            if value is None:
                return name
            if not self._test(value if type(value) is str else canonical(value), wanted):
                return name
        return None

    def matches(self, attributes: Attributes, data: EventData) -> bool:  # noqa: ARG002 Clause
        """Whether every entry holds."""
        return self._failing(attributes) is None

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:  # noqa: ARG002 Clause
        """The same, with the first attribute that is not as wanted."""
        name = self._failing(attributes)
        if name is None:
            return MATCHED
        return Verdict(matched=False, clause=self._clause, detail=fact(name, attributes))

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return (name for name, _ in self.entries)


class _Nested:
    __slots__ = ("key", "nested", "sees_data")
    word: str

    def __init__(self, nested: Sequence[Clause]) -> None:
        self.nested = tuple(nested)
        self.sees_data = any(clause.sees_data for clause in nested)
        keys = frozenset(clause.key for clause in nested)
        self.key: Hashable = (self.word, keys) if len(keys) != 1 else next(iter(keys))

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return (name for clause in self.nested for name in clause.names())


class All(_Nested):
    """`all`, and the `filters` array itself."""

    __slots__ = ()
    word = "all"

    def matches(self, attributes: Attributes, data: EventData) -> bool:
        """Whether every clause does."""
        for clause in self.nested:  # noqa: SIM110  # half the time of all(...) for one or two clauses
            if not clause.matches(attributes, data):
                return False
        return True

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:
        """The verdict of the first clause that does not."""
        for clause in self.nested:
            verdict = clause.explain(attributes, data)
            if not verdict.matched:
                return verdict
        return MATCHED


class Any(_Nested):
    """`any`."""

    __slots__ = ("_clause",)
    word = "any"

    def __init__(self, nested: Sequence[Clause], clause: dict[str, Json]) -> None:
        super().__init__(nested)
        self._clause = clause

    def matches(self, attributes: Attributes, data: EventData) -> bool:
        """Whether one clause does."""
        for clause in self.nested:  # noqa: SIM110  # as in All
            if clause.matches(attributes, data):
                return True
        return False

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:
        """The same, with what each of them saw."""
        verdicts: list[Verdict] = []
        for clause in self.nested:
            verdict = clause.explain(attributes, data)
            if verdict.matched:
                return MATCHED
            verdicts.append(verdict)
        return Verdict(
            matched=False,
            clause=self._clause,
            detail=joined(str(verdict.detail) for verdict in verdicts),
            error=next((verdict.error for verdict in verdicts if verdict.error), None),
        )


class Not:
    """`not`. What a nested clause cannot judge does not pass that, so it passes this (S19, S20)."""

    __slots__ = ("_clause", "key", "nested", "sees_data")

    def __init__(self, nested: Clause, clause: dict[str, Json]) -> None:
        self.nested = nested
        self.sees_data = nested.sees_data
        self.key: Hashable = nested.nested.key if isinstance(nested, Not) else ("not", nested.key)
        self._clause = clause

    def matches(self, attributes: Attributes, data: EventData) -> bool:
        """Whether the nested clause does not."""
        return not self.nested.matches(attributes, data)

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:
        """The same, with what the nested clause looks at."""
        if not self.nested.matches(attributes, data):
            return MATCHED
        facts = joined(fact(name, attributes) for name in self.nested.names())
        detail = facts or "the expression inside is true"
        return Verdict(matched=False, clause=self._clause, detail=detail)

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return self.nested.names()


class Filter:
    """A compiled `filters` array: every entry must be true; an empty array passes everything (S07)."""

    __slots__ = ("_judge", "root")

    def __init__(self, root: All) -> None:
        self.root: Clause = root.nested[0] if len(root.nested) == 1 else root
        self._judge = self.root.matches

    @property
    def key(self) -> Hashable:
        """Equal for filters that judge every event alike, as far as that can be seen."""
        return self.root.key

    @property
    def sees_data(self) -> bool:
        """Whether its verdict may depend on an event's data."""
        return self.root.sees_data

    def matches(self, attributes: Attributes, data: EventData = NO_DATA) -> bool:
        """Whether an event with these context attributes and this data passes."""
        return self._judge(attributes, data)

    def explain(self, attributes: Attributes, data: EventData = NO_DATA) -> Verdict:
        """The same decision with its reason: `explain(a).matched == matches(a)`."""
        return self.root.explain(attributes, data)
