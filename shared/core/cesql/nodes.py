"""The parts of an expression (CESQL 1.0, section 2). `start` and `end` say where in the text each stands.

Nobody changes a node. They are not frozen because that makes them three times as slow to build.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .functions import Function
from .like import Pattern
from .values import Type, Value

REQUIRED = frozenset({"id", "source", "specversion", "type"})
"""Attributes that every event has: EXISTS is true of them (3.4.4)."""


@dataclass(slots=True, kw_only=True)
class _Place:
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    depth: int = field(default=1, compare=False)
    wrapped: bool = field(default=False, compare=False)
    """Whether it stands in parentheses of its own."""


@dataclass(slots=True)
class Literal(_Place):
    value: Value


@dataclass(slots=True)
class Attribute(_Place):
    name: str


@dataclass(slots=True)
class Exists(_Place):
    name: str


@dataclass(slots=True)
class Not(_Place):
    operand: "Node"


@dataclass(slots=True)
class Negate(_Place):
    operand: "Node"


@dataclass(slots=True)
class Arithmetic(_Place):
    """`operator` is one of + - * / %."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(slots=True)
class Compare(_Place):
    """`operator` is one of = != < <= > >=; `<>` is `!=`."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(slots=True)
class Logic(_Place):
    """A chain of one of AND, OR and XOR, evaluated from the left."""

    operator: str
    operands: tuple["Node", ...]


@dataclass(slots=True)
class Like(_Place):
    operand: "Node"
    pattern: str
    negated: bool
    compiled: Pattern = field(compare=False)


@dataclass(slots=True)
class In(_Place):
    operand: "Node"
    elements: tuple["Node", ...]
    negated: bool


@dataclass(slots=True)
class Call(_Place):
    """`function` is None when there is none of this name with so many arguments."""

    name: str
    arguments: tuple["Node", ...]
    function: Function | None = field(compare=False)


Node = Literal | Attribute | Exists | Not | Negate | Arithmetic | Compare | Logic | Like | In | Call


def type_of(node: Node) -> Type | None:
    """The type of what a node evaluates to; None when it is the event's business, or nothing's."""
    match node:
        case Literal(value=value):
            return type(value)
        case Attribute():
            return None
        case Negate() | Arithmetic():
            return int
        case Call(function=function):
            return function.returns if function else None
        case _:
            return bool


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Not(operand=operand) | Negate(operand=operand) | Like(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Logic(operands=operands):
            return operands
        case In(operand=operand, elements=elements):
            return (operand, *elements)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all below, in the order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Node) -> Iterator[str]:
    """The attributes that a node reads or asks for, in the order of the text, repeated as they are."""
    return (found.name for found in walk(node) if isinstance(found, Attribute | Exists))
