"""Filter dialects of the CloudEvents Subscriptions API (section 3.2.4): exact prefix suffix all any not.

One evaluator serves delivery, check and explain: `compile_filters` turns the JSON into a `Filter`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.cloudevents.rules import is_text

Value = str | int | bool
Attributes = Mapping[str, Value]

MAX_DEPTH = 32
MAX_CLAUSES = 2_000
SHOWN_LENGTH = 200
SHOWN_FACTS = 5
"""What an explanation shows of a value, and how many attributes it tells of."""
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LEAVES: dict[str, Callable[[str, str], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
}
_DIALECTS = "exact, prefix, suffix, all, any and not"


class InvalidFilter(Exception):
    """A filter that cannot be; `pointer` says where (RFC 6901)."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event passed; if not, the first dialect object that failed and the value it saw."""

    matched: bool
    clause: dict[str, Any] | None = None
    detail: str | None = None


MATCHED = Verdict(matched=True)


def canonical(value: Value) -> str:
    """The canonical string of an attribute value (CloudEvents, Type System): S21 compares by it."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value if isinstance(value, str) else str(value)


def _fact(name: str, attributes: Attributes) -> str:
    value = attributes.get(name)
    if value is None:
        return f"{name} is missing"
    text = canonical(value)
    return f"{name} is {text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + '…'}"


class _Leaf:
    __slots__ = ("_clause", "_entries", "_test")

    def __init__(self, dialect: str, entries: Mapping[str, str], clause: dict[str, Any]) -> None:
        self._entries = tuple(entries.items())
        self._test = _LEAVES[dialect]
        self._clause = clause

    def _failing(self, attributes: Attributes) -> str | None:
        """The first attribute that is not as wanted."""
        for name, wanted in self._entries:
            value = attributes.get(name)
            if value is None:
                return name
            if not self._test(value if type(value) is str else canonical(value), wanted):
                return name
        return None

    def matches(self, attributes: Attributes) -> bool:
        return self._failing(attributes) is None

    def explain(self, attributes: Attributes) -> Verdict:
        name = self._failing(attributes)
        if name is None:
            return MATCHED
        return Verdict(matched=False, clause=self._clause, detail=_fact(name, attributes))

    def names(self) -> Iterator[str]:
        return (name for name, _ in self._entries)


class _All:
    __slots__ = ("_nested",)

    def __init__(self, nested: Sequence["Clause"]) -> None:
        self._nested = tuple(nested)

    def matches(self, attributes: Attributes) -> bool:
        for clause in self._nested:  # noqa: SIM110  # half the time of all(...) for one or two clauses
            if not clause.matches(attributes):
                return False
        return True

    def explain(self, attributes: Attributes) -> Verdict:
        for clause in self._nested:
            verdict = clause.explain(attributes)
            if not verdict.matched:
                return verdict
        return MATCHED

    def names(self) -> Iterator[str]:
        return (name for clause in self._nested for name in clause.names())


class _Any:
    __slots__ = ("_clause", "_nested")

    def __init__(self, nested: Sequence["Clause"], clause: dict[str, Any]) -> None:
        self._nested = tuple(nested)
        self._clause = clause

    def matches(self, attributes: Attributes) -> bool:
        for clause in self._nested:  # noqa: SIM110  # as in _All
            if clause.matches(attributes):
                return True
        return False

    def explain(self, attributes: Attributes) -> Verdict:
        facts: dict[str, None] = {}
        for clause in self._nested:
            verdict = clause.explain(attributes)
            if verdict.matched:
                return MATCHED
            facts[str(verdict.detail)] = None
        return Verdict(matched=False, clause=self._clause, detail="; ".join(list(facts)[:SHOWN_FACTS]))

    def names(self) -> Iterator[str]:
        return (name for clause in self._nested for name in clause.names())


class _Not:
    __slots__ = ("_clause", "_nested")

    def __init__(self, nested: "Clause", clause: dict[str, Any]) -> None:
        self._nested = nested
        self._clause = clause

    def matches(self, attributes: Attributes) -> bool:
        return not self._nested.matches(attributes)

    def explain(self, attributes: Attributes) -> Verdict:
        if not self._nested.matches(attributes):
            return MATCHED
        facts = dict.fromkeys(_fact(name, attributes) for name in self._nested.names())
        return Verdict(matched=False, clause=self._clause, detail="; ".join(list(facts)[:SHOWN_FACTS]))

    def names(self) -> Iterator[str]:
        return self._nested.names()


Clause = _Leaf | _All | _Any | _Not


class Filter:
    """A compiled `filters` array: every entry must be true; an empty array passes everything (S07)."""

    __slots__ = ("_root", "matches")

    matches: Callable[[Attributes], bool]
    """Whether an event with these context attributes passes."""

    def __init__(self, root: _All) -> None:
        self._root = root
        self.matches = root.matches

    def explain(self, attributes: Attributes) -> Verdict:
        """The same decision with its reason: `explain(a).matched == matches(a)`."""
        return self._root.explain(attributes)


class _Compiler:
    def __init__(self) -> None:
        self._clauses = 0

    def array(self, value: Any, pointer: str, depth: int, least: int) -> list[Clause]:
        if not isinstance(value, list):
            raise InvalidFilter(pointer, "must be an array of dialect objects")
        if len(value) < least:
            raise InvalidFilter(pointer, "must have at least one entry")
        return [self.clause(entry, f"{pointer}/{i}", depth) for i, entry in enumerate(value)]

    def clause(self, value: Any, pointer: str, depth: int) -> Clause:
        self._clauses += 1
        if self._clauses > MAX_CLAUSES:
            raise InvalidFilter(pointer, f"has more than {MAX_CLAUSES} clauses")
        if depth > MAX_DEPTH:
            raise InvalidFilter(pointer, f"is nested more than {MAX_DEPTH} deep")
        if not isinstance(value, dict):
            raise InvalidFilter(pointer, 'must be a dialect object such as {"exact": {"type": "a"}}')
        if len(value) != 1:
            raise InvalidFilter(pointer, f"must have exactly one dialect, one of {_DIALECTS}")
        ((dialect, body),) = value.items()
        at = f"{pointer}/{_escape(dialect)}"
        if dialect in _LEAVES:
            return _Leaf(dialect, self._entries(body, at), value)
        if dialect == "all":
            return _All(self.array(body, at, depth + 1, 1))
        if dialect == "any":
            return _Any(self.array(body, at, depth + 1, 1), value)
        if dialect == "not":
            return _Not(self.clause(body, at, depth + 1), value)
        raise InvalidFilter(at, f"is not a dialect that is understood here; these are: {_DIALECTS}")

    @staticmethod
    def _entries(body: Any, pointer: str) -> dict[str, str]:
        if not isinstance(body, dict) or not body:
            raise InvalidFilter(pointer, "must be an object with at least one attribute and its value")
        for name, wanted in body.items():
            at = f"{pointer}/{_escape(name)}"
            if not name or not _NAME.issuperset(name):
                raise InvalidFilter(at, "is not an attribute name: only a-z and 0-9 are allowed")
            if name == "data":
                raise InvalidFilter(at, "filters see context attributes, not data")
            if not isinstance(wanted, str) or not wanted:
                raise InvalidFilter(at, "must be a text that is not empty")
            if not is_text(wanted):
                raise InvalidFilter(at, "has characters that no attribute may have")
        return body


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def compile_filters(filters: Any, pointer: str = "/filters") -> Filter:
    """The filter that a subscription's `filters` array describes; None is the empty array.

    Raises InvalidFilter with a pointer to the first thing wrong.
    """
    return Filter(_All(_Compiler().array([] if filters is None else filters, pointer, 1, 0)))
