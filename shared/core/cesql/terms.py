"""What an expression compares when it is not an attribute as it is: `LENGTH(subject)`, or `attempt` as an Integer.

A term is worked out once for an event, however many expressions compare it with something.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Literal as OneOf

from .compiler import compile_cast
from .functions import Function
from .like import literal
from .nodes import Attribute, Call, Compare, Exists, In, Like, Literal, Node, children, names, type_of
from .values import CASTS, Attributes, Type, Value, integer

Kind = OneOf["exact", "prefix", "suffix", "<", "<=", ">", ">="]
_ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge}
_MIRRORED: dict[str, Kind] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE: dict[str, Kind] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Term:
    """A part of an expression, cast to a type. Equal ones have equal values for every event."""

    __slots__ = ("_compiled", "_key", "_node", "_wanted")

    def __init__(self, node: Node, wanted: Type) -> None:
        self._node, self._wanted = node, wanted
        self._key = (_shape(node), wanted)
        self._compiled: Callable[[Attributes], Value | None] | None = None

    @property
    def attributes(self) -> frozenset[str]:
        """Names of the attributes that it reads."""
        return frozenset(names(self._node))

    @property
    def value(self) -> Callable[[Attributes], Value | None]:
        """Gives its value for an event with these attributes; None after an error."""
        if self._compiled is None:
            self._compiled = compile_cast(self._node, self._wanted)
        return self._compiled

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Term{self._key!r}"


@dataclass(frozen=True, slots=True)
class TermCondition:
    """A term has a value, and it is, begins or ends with one of `values`, or is less or more than the only one.

    Values are of the term's type. A `negated` condition asks for another value than these.
    """

    term: Term
    kind: Kind
    values: frozenset[Value]
    negated: bool = False

    def holds(self, value: Value | None) -> bool:
        """Whether it holds of the term's value."""
        if value is None:
            return False
        if self.kind in _ORDER:
            (bound,) = self.values
            return bool(_ORDER[self.kind](value, bound))
        if self.kind == "exact":
            return (value in self.values) is not self.negated
        text, ends = str(value), tuple(map(str, self.values))
        fits = text.startswith(ends) if self.kind == "prefix" else text.endswith(ends)
        return fits is not self.negated

    def opposite(self) -> "TermCondition":
        """Holds where the term has a value and this does not hold."""
        if self.kind in _ORDER:
            return TermCondition(self.term, _OPPOSITE[self.kind], self.values)
        return TermCondition(self.term, self.kind, self.values, not self.negated)

    def joined(self, other: "TermCondition") -> "TermCondition | None":
        """Holds where one of both does, if that is a condition."""
        same = (self.term, self.kind) == (other.term, other.kind)
        if not same or self.negated or other.negated or self.kind in _ORDER:
            return None
        return TermCondition(self.term, self.kind, self.values | other.values)


def tested(node: Node) -> TermCondition | None:
    """The condition on a term that a folded node is: TRUE where it holds, FALSE where the term has another value."""
    match node:
        case Compare(left=Literal()) if isinstance(node.right, Literal):
            return None
        case Compare(operator="=" | "!=" as operator, left=left, right=right):
            return _equal(left, right, negated=operator == "!=")
        case Compare(operator=operator, left=left, right=right):
            if isinstance(right, Literal):
                return _ordered(left, operator, right)
            return _ordered(right, _MIRRORED[operator], left) if isinstance(left, Literal) else None
        case In(operand=operand, elements=elements, negated=negated):
            wanted = type_of(operand)
            if wanted is None or isinstance(operand, Literal):
                return None
            values = {CASTS[wanted](element.value) for element in elements if isinstance(element, Literal)}
            if None in values or not all(isinstance(element, Literal) for element in elements):
                return None
            found = frozenset(value for value in values if value is not None)
            return TermCondition(Term(operand, wanted), "exact", found, negated)
        case Like() if not isinstance(node.operand, Literal):
            return _like(node)
    return None


def _equal(left: Node, right: Node, *, negated: bool) -> TermCondition | None:
    """The right operand's type decides what the left one is cast to (3.7)."""
    wanted = type_of(right)
    if wanted is None:
        return None
    if isinstance(right, Literal):
        return TermCondition(Term(left, wanted), "exact", frozenset({right.value}), negated)
    value = CASTS[wanted](left.value) if isinstance(left, Literal) else None
    if value is None:
        return None
    return TermCondition(Term(right, wanted), "exact", frozenset({value}), negated)


def _ordered(node: Node, operator: str, bound: Literal) -> TermCondition | None:
    value = integer(bound.value)
    if value is None:
        return None
    kind: Kind = operator  # type: ignore[assignment]
    return TermCondition(Term(node, int), kind, frozenset({value}))


def _like(node: Like) -> TermCondition | None:
    """Of a pattern that is a text, or one with `%` at one end."""
    parts = node.compiled.parts
    first, last = literal(parts[0]), literal(parts[-1])
    if first is None or last is None or node.compiled.searches:
        return None
    term = Term(node.operand, str)
    if len(parts) == 1:
        return TermCondition(term, "exact", frozenset({first}), node.negated)
    if first and last:
        return None
    kind: Kind = "suffix" if last else "prefix"
    return TermCondition(term, kind, frozenset({last or first}), node.negated)


def _shape(node: Node) -> Hashable:
    """Equal for nodes that mean the same, functions of others told apart."""
    below = tuple(map(_shape, children(node)))
    function: Function | None = node.function if isinstance(node, Call) else None
    match node:
        case Literal(value=value):
            return type(value), value
        case Attribute(name=name) | Exists(name=name):
            return type(node), name
        case Like(pattern=pattern, negated=negated):
            return Like, pattern, negated, below
        case In(negated=negated):
            return In, negated, below
        case Call():
            return Call, function, below
        case _:
            return type(node), getattr(node, "operator", None), below
