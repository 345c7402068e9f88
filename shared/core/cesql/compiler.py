"""From nodes to closures: what runs for every event.

A closure takes the attributes and gives a value, or None after an error: which error it was, the interpreter says when
somebody asks. So an error costs no more than a value, and a missing attribute is what `dict.get` gives.
`compile_match` goes one step further: where only TRUE counts, an error and FALSE are the same.

Nodes are folded before: what is constant here is a literal, or has an error.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from .functions import BUILTINS
from .interpreter import fits
from .like import matcher
from .limits import TEXT
from .nodes import (
    Arithmetic,
    Attribute,
    Call,
    Compare,
    Exists,
    In,
    Like,
    Literal,
    Logic,
    Negate,
    Node,
    Not,
    type_of,
)
from .values import ARITHMETIC, CASTS, Attributes, Type, Value, primitive, string

Compiled = Callable[[Attributes], Any]
"""Gives a value, or None after an error."""
Match = Callable[[Attributes], bool]

_ORDER: dict[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def compile_match(node: Node) -> Match:
    """Whether a node is TRUE."""
    match node:
        case Literal(value=value):
            return _always(value is True)
        case Attribute(name=name):
            return lambda attributes: attributes.get(name) is True
        case Exists():
            return compile_value(node)
        case Not(operand=operand):
            return _false(compile_cast(operand, bool))
        case Logic(operator="AND", operands=operands):
            return _all(tuple(map(_match_cast, operands)))
        case Logic(operator="OR", operands=operands):
            *firsts, last = operands
            return _any(tuple(compile_cast(operand, bool) for operand in firsts), _match_cast(last))
        case Compare(operator="=" | "!="):
            return _match_equal(node)
        case Like(operand=operand):
            like = _like(node)
            return _false(like) if node.negated else _match_like(node, like)
        case In():
            found = _in(node)
            return _false(found) if node.negated else _match_in(node, found)
    return _true(compile_value(node)) if type_of(node) is bool else _always(value=False)


def _match_cast(node: Node) -> Match:
    """Whether a node cast to Boolean is TRUE."""
    return compile_match(node) if type_of(node) is bool else _true(compile_cast(node, bool))


def _true(value: Compiled) -> Match:
    return lambda attributes: value(attributes) is True


def _false(value: Compiled) -> Match:
    return lambda attributes: value(attributes) is False


def _always(value: Any) -> Callable[[Attributes], Any]:
    return lambda _: value


def _match_equal(node: Compare) -> Match:
    left, right = node.left, node.right
    if node.operator == "!=":
        return _false(_equal(left, right))
    if isinstance(left, Attribute) and isinstance(right, Literal) and isinstance(right.value, str):
        name, value = left.name, right.value
        if value not in {"true", "false"} and not value.lstrip("-").isdigit():
            # No Integer and no Boolean has this text: only the same String is equal.
            return lambda attributes: attributes.get(name) == value
    return _true(_equal(left, right))


def _match_like(node: Like, general: Compiled) -> Match:
    if not isinstance(node.operand, Attribute) or node.compiled.searches:
        return _true(general)
    name, fitting = node.operand.name, matcher(node.compiled)

    def like(attributes: Attributes) -> bool:
        value = attributes.get(name)
        if value.__class__ is str:
            return fitting(value)
        return value is not None and fitting(string(primitive(value)))

    return like


def _match_in(node: In, general: Compiled) -> Match:
    texts = _texts(node)
    if texts is None or not isinstance(node.operand, Attribute):
        return _true(general)
    name = node.operand.name

    def found(attributes: Attributes) -> bool:
        value = attributes.get(name)
        return value in texts if value.__class__ is str else general(attributes) is True

    return found


def _all(tests: tuple[Match, ...]) -> Match:
    if len(tests) == 2:
        first, second = tests
        return lambda attributes: first(attributes) and second(attributes)
    if len(tests) == 3:
        first, second, third = tests
        return lambda attributes: first(attributes) and second(attributes) and third(attributes)

    def every(attributes: Attributes) -> bool:
        for test in tests:  # noqa: SIM110  # half the time of all(...)
            if not test(attributes):
                return False
        return True

    return every


def _any(firsts: tuple[Compiled, ...], last: Match) -> Match:
    """OR: an error ends it, so all but the last have to tell an error from FALSE."""
    if len(firsts) == 1:
        (first,) = firsts

        def either(attributes: Attributes) -> bool:
            value: bool | None = first(attributes)
            return last(attributes) if value is False else value is True

        return either

    def some(attributes: Attributes) -> bool:
        for test in firsts:
            value: bool | None = test(attributes)
            if value is not False:
                return value is True
        return last(attributes)

    return some


def compile_cast(node: Node, wanted: Type) -> Compiled:
    """A node cast to a type."""
    if isinstance(node, Literal):
        return _always(CASTS[wanted](node.value))
    if wanted is str and isinstance(node, Attribute):
        return _text(node.name)
    value = compile_value(node)
    if type_of(node) is wanted:
        return value
    cast = CASTS[wanted]

    def converted(attributes: Attributes) -> Value | None:
        result = value(attributes)
        return None if result is None else cast(result)

    return converted


def _text(name: str) -> Compiled:
    def text(attributes: Attributes) -> Value | None:
        found = attributes.get(name)
        return found if found.__class__ is str or found is None else string(primitive(found))

    return text


def compile_value(node: Node) -> Compiled:
    """A node as it is."""
    match node:
        case Literal(value=value):
            return _always(value)
        case Attribute(name=name):
            return _attribute(name)
        case Exists(name=name):
            return lambda attributes: attributes.get(name) is not None
        case Not(operand=operand):
            return _negated(compile_cast(operand, bool))
        case Negate(operand=operand):
            return _calculated("-", _always(0), compile_cast(operand, int))
        case Arithmetic(operator=operator, left=left, right=right):
            return _calculated(operator, compile_cast(left, int), compile_cast(right, int))
        case Logic(operator="XOR", operands=operands):
            return _odd(tuple(compile_cast(operand, bool) for operand in operands))
        case Logic(operator=operator, operands=operands):
            return _chain(
                tuple(compile_cast(operand, bool) for operand in operands), goes_on=operator == "AND"
            )
        case Compare(operator=operator) if operator in _ORDER:
            return _both(_ORDER[operator], compile_cast(node.left, int), compile_cast(node.right, int))
        case Compare():
            equal = _equal(node.left, node.right)
            return equal if node.operator == "=" else _negated(equal)
        case Like():
            return _negated(_like(node)) if node.negated else _like(node)
        case In():
            return _negated(_in(node)) if node.negated else _in(node)
        case Call():
            return _call(node)


def _attribute(name: str) -> Compiled:
    def read(attributes: Attributes) -> Value | None:
        value = attributes.get(name)
        return value if value.__class__ is str or value is None else primitive(value)

    return read


def _negated(value: Compiled) -> Compiled:
    def negated(attributes: Attributes) -> bool | None:
        result = value(attributes)
        return None if result is None else not result

    return negated


def _calculated(operator: str, left: Compiled, right: Compiled) -> Compiled:
    return _both(ARITHMETIC[operator], left, right)


def _both(operation: Callable[[Any, Any], Any], left: Compiled, right: Compiled) -> Compiled:
    """An operation on two values, left before right; None when one is missing."""

    def both(attributes: Attributes) -> Value | None:
        x = left(attributes)
        if x is None:
            return None
        y = right(attributes)
        return None if y is None else operation(x, y)

    return both


def _odd(operands: tuple[Compiled, ...]) -> Compiled:
    def odd(attributes: Attributes) -> bool | None:
        result = False
        for operand in operands:
            value = operand(attributes)
            if value is None:
                return None
            result = result is not value
        return result

    return odd


def _chain(operands: tuple[Compiled, ...], *, goes_on: bool) -> Compiled:
    """AND goes on while operands are true, OR while they are false."""

    def chain(attributes: Attributes) -> bool | None:
        for operand in operands:
            value: bool | None = operand(attributes)
            if value is not goes_on:
                return value
        return goes_on

    return chain


def _equal(left: Node, right: Node) -> Compiled:
    """The right operand's type decides what the left one is cast to (3.7)."""
    wanted = type_of(right)
    if wanted is None:
        return _both(_same, compile_value(left), compile_value(right))
    x = compile_cast(left, wanted)
    if not isinstance(right, Literal):
        return _both(lambda a, b: a == b, x, compile_value(right))
    constant = right.value

    def equal(attributes: Attributes) -> bool | None:
        value = x(attributes)
        return None if value is None else value == constant

    return equal


def _same(a: Value, b: Value) -> bool | None:
    if a.__class__ is b.__class__:
        return a == b
    cast = CASTS[b.__class__](a)
    return None if cast is None else cast == b


def _like(node: Like) -> Compiled:
    text, fitting = compile_cast(node.operand, str), matcher(node.compiled)
    searches = node.compiled.searches

    def like(attributes: Attributes) -> bool | None:
        value = text(attributes)
        if value is None or (searches and len(value) > TEXT):
            return None
        return fitting(value)

    return like


def _texts(node: In) -> frozenset[str] | None:
    """The elements as Strings, when all are literals."""
    values = [element.value for element in node.elements if isinstance(element, Literal)]
    return frozenset(map(string, values)) if len(values) == len(node.elements) else None


def _in(node: In) -> Compiled:
    """The operand's type decides what its elements are cast to (3.4.5); the first that is equal ends the search."""
    value, texts = compile_value(node.operand), _texts(node)
    elements = tuple(map(compile_value, node.elements))

    def found(attributes: Attributes) -> bool | None:
        wanted = value(attributes)
        if wanted is None:
            return None
        if texts is not None and wanted.__class__ is str:
            return wanted in texts
        cast = CASTS[wanted.__class__]
        for element in elements:
            other = element(attributes)
            other = None if other is None else cast(other)
            if other is None:
                return None
            if other == wanted:
                return True
        return False

    return found


def _call(node: Call) -> Compiled:
    function = node.function
    if function is None:
        return _always(None)
    call = function.call
    trusted = BUILTINS.find(node.name, len(node.arguments)) is function
    arguments = tuple(
        compile_cast(argument, wanted)
        for argument, wanted in zip(node.arguments, function.types(len(node.arguments)), strict=True)
    )

    def called(attributes: Attributes) -> Value | None:
        values = []
        for argument in arguments:
            value = argument(attributes)
            if value is None or (value.__class__ is str and len(value) > TEXT):
                return None
            values.append(value)
        try:
            result = call(*values)
        except Exception:  # the interpreter tells it
            return None
        return result if trusted or fits(result, function) else None

    return called
