"""The dialect `sql`: CloudEvents SQL (CESQL 1.0) on context attributes.

True passes; false, any error, and anything that is not a Boolean do not (S20).
"""

import re
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from shared.core.cesql import BUILTINS, Limits, ParseError, parse
from shared.core.cesql.nodes import Logic, walk
from shared.core.cesql.parser import parse as parse_nodes
from shared.core.filters.clauses import All, Clause, Leaf
from shared.core.filters.clauses import Any as AnyOf
from shared.core.filters.data import EventData
from shared.core.filters.verdict import MATCHED, Attributes, Verdict, fact, joined, shown

if TYPE_CHECKING:
    from shared.core.cesql import Requirement
    from shared.core.cesql.nodes import Node

NO_DATA_HERE = "CESQL has no `data`: use `cel`"
_LIMITS = Limits()
_DATA_BEFORE = re.compile(r"(?<![A-Za-z0-9_])data\s*\Z", re.IGNORECASE)
_DATA = re.compile(r"(?<![A-Za-z0-9_])data(?![A-Za-z0-9_])", re.IGNORECASE)


class Sql:
    """One expression.

    `implies` is true of every event that passes, None knows nothing; with `implies_all` it is the expression.
    """

    __slots__ = ("_clause", "_evaluate", "_judge", "_names", "_text", "implies", "implies_all", "key")
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
        self._text = text
        self._clause = clause
        self._judge = expression.matches
        self._evaluate = expression.evaluate
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
        result = self._evaluate(attributes)
        if result.error is not None:
            part = self._text[result.error.start : result.error.end]
            error = f"{result.error.kind} error in `{shown(part)}`: {result.error.message}"
            facts = self._facts(_names_of(part), attributes)
            detail = error + (f" ({facts})" if facts else "")
            return Verdict(matched=False, clause=self._clause, detail=detail, error=error)
        if result.value is True:
            return MATCHED
        if result.value is not False:
            error = f"the result is not a Boolean but {shown(repr(result.value))}"
            return Verdict(matched=False, clause=self._clause, detail=error, error=error)
        part = _failing(self._text, attributes)
        facts = self._facts(_names_of(part), attributes)
        detail = f"`{shown(part)}` is false" + (f": {facts}" if facts else "")
        return Verdict(matched=False, clause=self._clause, detail=detail)

    def _facts(self, names: frozenset[str], attributes: Attributes) -> str:
        return joined(fact(name, attributes) for name in self._names if name in names)

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return iter(self._names)


def doubts(text: str) -> Iterator[str]:
    """Warnings: of an expression that is never true, and of AND, OR and XOR beside each other.

    Section 3.6 reads those from the left, the published grammar from the right.
    """
    kind = parse(text).type
    if kind not in {None, "Boolean"}:
        yield f"this is a value of type {kind}, which no event passes: compare it with something"
    for node in walk(parse_nodes(text, BUILTINS, _LIMITS)):
        if not isinstance(node, Logic):
            continue
        for operand in node.operands:
            if isinstance(operand, Logic) and not operand.wrapped and operand.operator != node.operator:
                inner = text[operand.start : operand.end]
                yield (
                    f"{operand.operator} and {node.operator} stand side by side without parentheses; this is read"
                    f" from the left, `({shown(inner)}) {node.operator} …`, and other engines may read it"
                    " differently: write the parentheses"
                )


def _refusal(error: ParseError, text: str) -> str:
    if _DATA_BEFORE.search(text[: error.position]) and text[error.position : error.position + 1] in {
        ".",
        "[",
    }:
        found = _DATA_BEFORE.search(text[: error.position])
        assert found is not None
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


def _failing(text: str, attributes: Attributes) -> str:
    """The first part of a false expression that is false: of an AND, the operand."""
    node: Node = parse_nodes(text, BUILTINS, _LIMITS)
    while isinstance(node, Logic) and node.operator == "AND":
        for operand in node.operands:
            if parse(text[operand.start : operand.end]).evaluate(attributes).value is not True:
                node = operand
                break
        else:
            break
    return text[node.start : node.end]


def _names_of(part: str) -> frozenset[str]:
    try:
        return parse(part).attributes
    except ParseError:
        return frozenset()
