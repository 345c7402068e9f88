"""From the JSON of a `filters` array to a Filter."""

from collections.abc import Callable
from typing import Any as Json

from shared.core.cloudevents.rules import is_text
from shared.core.filters.clauses import LEAVES, All, Any, Clause, Filter, Leaf, Not

MAX_DEPTH = 32
MAX_CLAUSES = 2_000
MAX_CEL = 10
"""CEL expressions in one filter: each may cost what `cel_cost` allows."""

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_DIALECTS = "exact, prefix, suffix, all, any, not, sql and cel"


class InvalidFilter(Exception):
    """A filter that cannot be; `pointer` says where (RFC 6901)."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail


def compile_filters(filters: Json, pointer: str = "/filters") -> Filter:
    """The filter that a subscription's `filters` array describes; None is the empty array.

    Raises InvalidFilter with a pointer to the first thing wrong.
    """
    return Filter(All(_Compiler().array([] if filters is None else filters, pointer, 1, 0)))


class _Compiler:
    def __init__(self) -> None:
        self._clauses = 0
        self._cel = 0

    def array(self, value: Json, pointer: str, depth: int, least: int) -> list[Clause]:
        if not isinstance(value, list):
            raise InvalidFilter(pointer, "must be an array of dialect objects")
        if len(value) < least:
            raise InvalidFilter(pointer, "must have at least one entry")
        return [self.clause(entry, f"{pointer}/{i}", depth) for i, entry in enumerate(value)]

    def clause(self, value: Json, pointer: str, depth: int) -> Clause:
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
        if dialect in LEAVES:
            return Leaf(dialect, _entries(body, at), value)
        if dialect == "all":
            return All(self.array(body, at, depth + 1, 1))
        if dialect == "any":
            return Any(self.array(body, at, depth + 1, 1), value)
        if dialect == "not":
            return Not(self.clause(body, at, depth + 1), value)
        if dialect in {"sql", "cesql"}:
            # Knative's custom resource calls the dialect `cesql`.
            from shared.core.filters.sql import Sql

            return _expression(Sql, body, value, at)
        if dialect == "cel":
            self._cel += 1
            if self._cel > MAX_CEL:
                raise InvalidFilter(at, f"is more than the {MAX_CEL} cel expressions that a filter may have")
            # Its library is loaded with the first filter that needs it.
            from shared.core.filters.cel import Cel

            return _expression(Cel, body, value, at)
        raise InvalidFilter(at, f"is not a dialect that is understood here; these are: {_DIALECTS}")


def _expression(make: Callable[[str, dict[str, Json]], Clause], body: Json, clause: Json, at: str) -> Clause:
    if not isinstance(body, str) or not body.strip():
        raise InvalidFilter(at, "must be an expression: a text that is not empty")
    try:
        return make(body, clause)
    except ValueError as error:
        raise InvalidFilter(at, str(error)) from None


def _entries(body: Json, pointer: str) -> dict[str, str]:
    if not isinstance(body, dict) or not body:
        raise InvalidFilter(pointer, "must be an object with at least one attribute and its value")
    for name, wanted in body.items():
        at = f"{pointer}/{_escape(name)}"
        if name == "data" or name.startswith(("data.", "data[", "data/")):
            raise InvalidFilter(at, "this dialect sees context attributes, not `data`: use `cel`")
        if not name or not _NAME.issuperset(name):
            raise InvalidFilter(at, "is not an attribute name: only a-z and 0-9 are allowed")
        if not isinstance(wanted, str) or not wanted:
            raise InvalidFilter(at, "must be a text that is not empty")
        if not is_text(wanted):
            raise InvalidFilter(at, "has characters that no attribute may have")
    return body


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
