"""The syntax tree of a checked CEL expression, read from its standard serialisation.

The library gives a `cel.expr.CheckedExpr` (cel-spec, checked.proto and syntax.proto) as bytes. Only what the
limits and the index ask for is read, so that no protobuf library is needed.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_ANY_VALUE = 2
_CHECKED_EXPR = 4
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = 3, 4, 5, 6, 7, 8, 9
_NULL_CONST, _BOOL_CONST, _INT_CONST, _UINT_CONST, _DOUBLE_CONST, _TEXT_CONST = 1, 2, 3, 4, 5, 6

UNKNOWN: Final = object()
"""A literal that is not read: bytes, a duration."""


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; `text` when it is a string, `value` when that or null, a Boolean or a number."""

    text: str | None
    value: Any = UNKNOWN


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` when it is a `test`."""

    operand: "Node"
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function; a method's receiver is its first argument."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A list, or else a map or message, put together from its parts."""

    parts: tuple["Node", ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class Loop:
    """A comprehension: what a macro such as `exists` becomes."""

    variable: str
    second: str
    source: "Node"
    accumulator: str
    start: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node = Const | Ident | Select | Call | Literal | Loop


def read_tree(serialised: bytes) -> Node:
    """The tree in what `Expression.serialize()` gives. Raises ValueError when it is not that."""
    for number, value in _fields(serialised):
        if number == _ANY_VALUE and isinstance(value, bytes):
            for inner, body in _fields(value):
                if inner == _CHECKED_EXPR and isinstance(body, bytes):
                    return _node(body)
    raise ValueError("the expression cannot be read back")


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything in it."""
    yield node
    for part in _parts(node):
        yield from walk(part)


def _parts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Literal):
        return node.parts
    if isinstance(node, Loop):
        return (node.source, node.start, node.condition, node.step, node.result)
    return ()


def _node(body: bytes) -> Node:
    for number, value in _fields(body):
        if not isinstance(value, bytes):
            continue
        if number == _CONST:
            return _const(value)
        if number == _IDENT:
            return Ident(_text(value, 1))
        if number == _SELECT:
            test = any(n == 3 and v for n, v in _fields(value))
            return Select(_child(value, 1), _text(value, 2), test)
        if number == _CALL:
            receiver = [_node(v) for n, v in _fields(value) if n == 1 and isinstance(v, bytes)]
            rest = [_node(v) for n, v in _fields(value) if n == 3 and isinstance(v, bytes)]
            return Call(_text(value, 2), (*receiver, *rest))
        if number == _LIST:
            parts = tuple(_node(v) for n, v in _fields(value) if n == 1 and isinstance(v, bytes))
            return Literal(parts, is_list=True)
        if number == _STRUCT:
            return Literal(tuple(_entries(value)), is_list=False)
        if number == _LOOP:
            return Loop(
                _text(value, 1),
                _text(value, 8),
                _child(value, 2),
                _text(value, 3),
                _child(value, 4),
                _child(value, 5),
                _child(value, 6),
                _child(value, 7),
            )
    return Const(None)


def _const(body: bytes) -> Const:
    for number, value in _fields(body):
        if isinstance(value, bytes):
            if number == _TEXT_CONST:
                text = value.decode()
                return Const(text, text)
            if number == _DOUBLE_CONST:
                return Const(None, struct.unpack("<d", value)[0])
        elif number == _NULL_CONST:
            return Const(None, None)
        elif number == _BOOL_CONST:
            return Const(None, bool(value))
        elif number == _INT_CONST:
            return Const(None, value - 2**64 if value >= 2**63 else value)
        elif number == _UINT_CONST:
            return Const(None, value)
    return Const(None)


def _entries(message: bytes) -> Iterator[Node]:
    """Keys and values of a map or message."""
    for number, entry in _fields(message):
        if number == 2 and isinstance(entry, bytes):
            for inner, value in _fields(entry):
                if inner in {3, 4} and isinstance(value, bytes):
                    yield _node(value)


def _child(body: bytes, wanted: int) -> Node:
    for number, value in _fields(body):
        if number == wanted and isinstance(value, bytes):
            return _node(value)
    return Const(None)


def _text(body: bytes, wanted: int) -> str:
    for number, value in _fields(body):
        if number == wanted and isinstance(value, bytes):
            return value.decode()
    return ""


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: number, and the value or its bytes."""
    at, end = 0, len(body)
    while at < end:
        tag, at = _varint(body, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(body, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(body, at)
        elif kind == _FIXED64:
            size = 8
        elif kind == _FIXED32:
            size = 4
        else:
            raise ValueError("the expression cannot be read back")
        yield tag >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
