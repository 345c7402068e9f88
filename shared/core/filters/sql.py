"""The dialect `sql`: CloudEvents SQL (CESQL 1.0) on context attributes.

True passes; false, any error, and anything that is not a Boolean do not (S20).
"""

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from shared.core.cesql import ParseError, parse
from shared.core.filters.data import EventData
from shared.core.filters.need import Atom, Need, Needs, all_of, any_of, exactly
from shared.core.filters.terms import FAULT, Comparison, key_of, the_one
from shared.core.filters.verdict import MATCHED, Attributes, Verdict, fact, joined, shown

if TYPE_CHECKING:
    from shared.core.cesql import Requirement, Term, TermCondition

NO_DATA_HERE = "CESQL has no `data`: use `cel`"
_DATA_BEFORE = re.compile(r"(?<![A-Za-z0-9_])data\s*\Z", re.IGNORECASE)
_DATA = re.compile(r"(?<![A-Za-z0-9_])data(?![A-Za-z0-9_])", re.IGNORECASE)


class Sql:
    """One expression.

    `needs` is what every event that passes has; None knows nothing. `atoms` are conditions on attributes that alone
    decide, None when they do not.
    """

    __slots__ = ("_clause", "_expression", "_judge", "_names", "atoms", "key", "needs")
    sees_data = False

    def __init__(self, text: str, clause: dict[str, Any]) -> None:
        """Raises ValueError for what is no expression, with the place and a caret."""
        try:
            expression = parse(text)
        except ParseError as error:
            raise ValueError(_refusal(error, text)) from None
        if "data" in expression.attributes:
            found = _DATA.search(text)
            raise ValueError(_placed(ParseError(NO_DATA_HERE, found.start() if found else 0, text)))
        self._clause = clause
        self._expression = expression
        self._judge = expression.matches
        self._names = tuple(sorted(expression.attributes))
        self.key: Hashable = ("sql", text)
        required = expression.required()
        self.needs: Needs | None = _needs(required)
        self.atoms: frozenset[Atom] | None = _atoms(required)

    def matches(self, attributes: Attributes, data: EventData) -> bool:  # noqa: ARG002 Clause
        """Whether the expression is TRUE."""
        return self._judge(attributes)

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:  # noqa: ARG002 Clause
        """The same, with the part that failed and the values it saw."""
        told = self._expression.explain(attributes)
        if told.matched:
            return MATCHED
        part = f"`{shown(told.clause)}`"
        facts = joined(fact(name, attributes) for name in told.values)
        if told.error is not None:
            error = f"{told.error.kind} error in {part}: {told.error.message}"
        elif (value := self._expression.evaluate(attributes).value) is not False:
            error = f"the result is not a Boolean but {shown(repr(value))}"
        else:
            said = f"{part} is false" + (f": {facts}" if facts else "")
            return Verdict(matched=False, clause=self._clause, detail=said)
        said = error + (f" ({facts})" if facts else "")
        return Verdict(matched=False, clause=self._clause, detail=said, error=error)

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return iter(self._names)


def doubts(text: str) -> Iterator[str]:
    """What an expression may not have been meant to say, and where."""
    for lint in parse(text).warnings:
        yield f"{lint.message} (at character {lint.start + 1})"


def _refusal(error: ParseError, text: str) -> str:
    found = _DATA_BEFORE.search(text[: error.position])
    if found is not None and text[error.position : error.position + 1] in {".", "["}:
        return _placed(ParseError(NO_DATA_HERE, found.start(), text))
    return _placed(error)


def _placed(error: ParseError) -> str:
    return f"{error.message} (at character {error.position + 1})\n{error.caret}"


class _SqlTerm:
    """A term of an expression, as an index asks for it."""

    __slots__ = ("__weakref__", "_value")
    sees_data: ClassVar[bool] = False

    def __init__(self, term: "Term") -> None:
        self._value = term.value

    def value(self, attributes: Attributes, data: EventData) -> Any:  # noqa: ARG002 Term
        """Its value."""
        value = self._value(attributes)
        return FAULT if value is None else value


def _atoms(required: "Requirement") -> frozenset[Atom] | None:
    if not required.complete or required.terms:
        return None
    return frozenset(
        (found.attribute, found.kind, text) for found in required.conditions for text in found.values
    )


def _needs(required: "Requirement") -> Needs | None:
    parts: list[Needs | None] = [
        any_of(
            exactly(Need(frozenset({(condition.attribute, condition.kind, text)})))
            for text in sorted(condition.values)
        )
        for condition in required.conditions
    ]
    parts.extend(map(_of_term, required.terms))
    found = all_of(parts)
    return None if found is None else Needs(found.alternatives, found.complete and required.complete)


def _of_term(condition: "TermCondition") -> Needs | None:
    term = the_one(condition.term, lambda: _SqlTerm(condition.term))
    kind, values = condition.kind, condition.values
    if kind == "exact":
        wanted: Any = frozenset(map(key_of, values))
        return exactly(Need(comparisons=frozenset({Comparison(term, "in", wanted, condition.negated)})))
    if condition.negated and len(values) > 1:
        return all_of(
            exactly(Need(comparisons=frozenset({Comparison(term, kind, value, negated=True)})))
            for value in values
        )
    return any_of(
        exactly(Need(comparisons=frozenset({Comparison(term, kind, value, condition.negated)})))
        for value in values
    )
