"""Filter dialects of the CloudEvents Subscriptions API (section 3.2.4): exact prefix suffix all any not.

One evaluator serves delivery, check and explain: `compile_filters` turns the JSON into a `Filter`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | int | bool
Attributes = Mapping[str, Value]

MAX_DEPTH = 32
MAX_CLAUSES = 2_000
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LEAVES: dict[str, tuple[Callable[[str, str], bool], str]] = {
    "exact": (str.__eq__, "not"),
    "prefix": (str.startswith, "which does not start with"),
    "suffix": (str.endswith, "which does not end with"),
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


class _Leaf:
    __slots__ = ("_clause", "_entries", "_test", "_word")

    def __init__(self, dialect: str, entries: Mapping[str, str], clause: dict[str, Any]) -> None:
        self._test, self._word = _LEAVES[dialect]
        self._entries = tuple(entries.items())
        self._clause = clause

    def matches(self, attributes: Attributes) -> bool:
        for name, wanted in self._entries:
            value = attributes.get(name)
            if value is None or not self._test(canonical(value), wanted):
                return False
        return True

    def explain(self, attributes: Attributes) -> Verdict:
        for name, wanted in self._entries:
            value = attributes.get(name)
            if value is None:
                return Verdict(matched=False, clause=self._clause, detail=f"{name} is missing")
            text = canonical(value)
            if not self._test(text, wanted):
                return Verdict(
                    matched=False, clause=self._clause, detail=f"{name} is {text}, {self._word} {wanted}"
                )
        return MATCHED


class _All:
    __slots__ = ("_nested",)

    def __init__(self, nested: Sequence["Clause"]) -> None:
        self._nested = tuple(nested)

    def matches(self, attributes: Attributes) -> bool:
        return all(clause.matches(attributes) for clause in self._nested)

    def explain(self, attributes: Attributes) -> Verdict:
        for clause in self._nested:
            verdict = clause.explain(attributes)
            if not verdict.matched:
                return verdict
        return MATCHED


class _Any:
    __slots__ = ("_clause", "_nested")

    def __init__(self, nested: Sequence["Clause"], clause: dict[str, Any]) -> None:
        self._nested = tuple(nested)
        self._clause = clause

    def matches(self, attributes: Attributes) -> bool:
        return any(clause.matches(attributes) for clause in self._nested)

    def explain(self, attributes: Attributes) -> Verdict:
        reasons: dict[str, None] = {}
        for clause in self._nested:
            verdict = clause.explain(attributes)
            if verdict.matched:
                return MATCHED
            reasons[str(verdict.detail)] = None
        return Verdict(matched=False, clause=self._clause, detail="; ".join(reasons))


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
        seen = ", ".join(
            f"{name} is {canonical(attributes[name])}"
            for name in dict.fromkeys(_names(self._clause["not"]))
            if name in attributes
        )
        return Verdict(matched=False, clause=self._clause, detail=seen or "what it excludes holds")


Clause = _Leaf | _All | _Any | _Not


def _names(clause: Mapping[str, Any]) -> list[str]:
    (dialect, body), *_ = clause.items()
    if dialect in _LEAVES:
        return list(body)
    nested = [body] if dialect == "not" else body
    return [name for part in nested for name in _names(part)]


class Filter:
    """A compiled `filters` array: every entry must be true; an empty array passes everything (S07)."""

    __slots__ = ("_root",)

    def __init__(self, root: _All) -> None:
        self._root = root

    def matches(self, attributes: Attributes) -> bool:
        """Whether an event with these context attributes passes."""
        return self._root.matches(attributes)

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
        return body


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def compile_filters(filters: Any, pointer: str = "/filters") -> Filter:
    """The filter that a subscription's `filters` array describes; None is the empty array.

    Raises InvalidFilter with a pointer to the first thing wrong.
    """
    return Filter(_All(_Compiler().array([] if filters is None else filters, pointer, 1, 0)))
