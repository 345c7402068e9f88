"""The dialect `sql`: CloudEvents SQL (CESQL 1.0) on context attributes.

True passes; false, any error, and anything that is not a Boolean do not (S20).
"""

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from shared.core.cesql import ParseError, parse
from shared.core.filters.clauses import All, Clause, Leaf
from shared.core.filters.clauses import Any as AnyOf
from shared.core.filters.data import EventData
from shared.core.filters.verdict import MATCHED, Attributes, Verdict, fact, joined, shown

if TYPE_CHECKING:
    from shared.core.cesql import Requirement

NO_DATA_HERE = "CESQL has no `data`: use `cel`"
_DATA_BEFORE = re.compile(r"(?<![A-Za-z0-9_])data\s*\Z", re.IGNORECASE)
_DATA = re.compile(r"(?<![A-Za-z0-9_])data(?![A-Za-z0-9_])", re.IGNORECASE)


class Sql:
    """One expression.

    `implies` is true of every event that passes, None knows nothing; with `implies_all` it is the expression.
    """

    __slots__ = ("_clause", "_expression", "_judge", "_names", "implies", "implies_all", "key")
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
        self.implies: Clause | None = _implied(required)
        self.implies_all = required.complete and self.implies is not None

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


def _implied(required: "Requirement") -> Clause | None:
    clauses: list[Clause] = []
    for condition in required.conditions:
        leaves: list[Clause] = [
            Leaf(condition.kind, {condition.attribute: text}, {}) for text in sorted(condition.values)
        ]
        clauses.append(leaves[0] if len(leaves) == 1 else AnyOf(leaves, {}))
    return All(clauses) if clauses else None
