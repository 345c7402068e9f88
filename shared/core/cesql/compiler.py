"""From nodes to closures: what runs for every event.

A closure takes the attributes and gives a value, or None after an error: which error it was, the interpreter says when
somebody asks. So an error costs no more than a value, `x and y` is Python's own, and a missing attribute is what
`dict.get` gives. `compile_match` goes one step further: where only TRUE counts, an error and FALSE are the same.
"""

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from .functions import BUILTINS
from .interpreter import Fault, evaluate, fits
from .like import matcher
from .limits import TEXT
from .nodes import (
    REQUIRED,
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
    children,
    type_of,
)
from .values import ARITHMETIC, CASTS, Attributes, Type, Value, primitive, string

Compiled = Callable[[Attributes], Any]
"""Gives a value, or None after an error."""
Match = Callable[[Attributes], bool]

_ORDER: dict[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def compile_match(node: Node) -> Match:
    """Whether a node is TRUE."""
    constant = folded(node)
    if constant is not None:
        return _always(constant is True)
    match node:
        case Attribute(name=name):
            return lambda attributes: attributes.get(name) is True
        case Logic(operator="AND", operands=operands):
            return _all(tuple(_match_cast(operand) for operand in operands))
        case Logic(operator="OR", operands=operands):
            *firsts, last = operands
            return _any(tuple(compile_cast(operand, bool) for operand in firsts), _match_cast(last))
        case Compare(operator="=", left=Attribute(name=name), right=right):
            value = folded(right)
            if isinstance(value, str) and not _reads_as_other(value):
                return lambda attributes: attributes.get(name) == value
    if type_of(node) is not bool:
        return _always(False)
    return _truth(compile_value(node))


def _match_cast(node: Node) -> Match:
    """Whether a node cast to Boolean is TRUE."""
    return compile_match(node) if type_of(node) is bool else _truth(compile_cast(node, bool))


def _truth(value: Compiled) -> Match:
    return lambda attributes: value(attributes) is True


def _always(value: Any) -> Callable[[Attributes], Any]:
    return lambda _: value


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


def folded(node: Node) -> Value | None:
    """The value of a node that no event changes; None when it has none, or an error."""
    if isinstance(node, Literal):
        return node.value
    if not _constant(node):
        return None
    try:
        return evaluate(node, {})
    except Fault:
        return None


def _constant(node: Node) -> bool:
    """Whether no attribute and no function of others is in a node."""
    match node:
        case Attribute():
            return False
        case Exists(name=name):
            return name in REQUIRED
        case Call(name=name, arguments=arguments, function=function):
            if function is None or BUILTINS.find(name, len(arguments)) is not function:
                return False
    return all(_constant(child) for child in children(node))


def _reads_as_other(value: str) -> bool:
    """Whether an Integer or a Boolean attribute could have this text."""
    return value in {"true", "false"} or value.lstrip("-").isdigit()


def compile_cast(node: Node, wanted: Type) -> Compiled:
    """A node cast to a type."""
    constant = folded(node)
    if constant is not None:
        return _always(CASTS[wanted](constant))
    value, kind = compile_value(node), type_of(node)
    if kind is wanted:
        return value
    if wanted is str and isinstance(node, Attribute):
        name = node.name

        def text(attributes: Attributes) -> str | None:
            found = attributes.get(name)
            return found if found.__class__ is str or found is None else string(primitive(found))

        return text
    cast = CASTS[wanted]

    def converted(attributes: Attributes) -> Value | None:
        result = value(attributes)
        return None if result is None else cast(result)

    return converted


def compile_value(node: Node) -> Compiled:
    """A node as it is."""
    constant = folded(node)
    if constant is not None:
        return _always(constant)
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
        case Logic(operator=operator, operands=operands):
            return _logic(operator, tuple(compile_cast(operand, bool) for operand in operands))
        case Compare(operator=operator) if operator in _ORDER:
            return _ordered(_ORDER[operator], compile_cast(node.left, int), compile_cast(node.right, int))
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
    calculate = ARITHMETIC[operator]

    def calculated(attributes: Attributes) -> int | None:
        x = left(attributes)
        if x is None:
            return None
        y = right(attributes)
        return None if y is None else calculate(x, y)

    return calculated


def _ordered(order: Callable[[int, int], bool], left: Compiled, right: Compiled) -> Compiled:
    def ordered(attributes: Attributes) -> bool | None:
        x = left(attributes)
        if x is None:
            return None
        y = right(attributes)
        return None if y is None else order(x, y)

    return ordered


def _logic(operator: str, operands: tuple[Compiled, ...]) -> Compiled:
    first, *rest = operands
    if operator == "XOR":

        def odd(attributes: Attributes) -> bool | None:
            result = first(attributes)
            for operand in rest:
                if result is None:
                    return None
                value = operand(attributes)
                result = None if value is None else result is not value
            return result  # type: ignore[no-any-return]

        return odd
    last_word = operator == "AND"

    def chain(attributes: Attributes) -> bool | None:
        for operand in operands:
            value: bool | None = operand(attributes)
            if value is not last_word:
                return value
        return last_word

    return chain


def _equal(left: Node, right: Node) -> Compiled:
    wanted = type_of(right)
    if wanted is not None:
        x, y = compile_cast(left, wanted), compile_cast(right, wanted)
        constant = folded(right)
        if constant is not None:

            def same(attributes: Attributes) -> bool | None:
                value = x(attributes)
                return None if value is None else value == constant

            return same
        return _ordered(lambda a, b: a == b, x, y)
    x, y = compile_value(left), compile_value(right)

    def equal(attributes: Attributes) -> bool | None:
        a = x(attributes)
        if a is None:
            return None
        b = y(attributes)
        if b is None:
            return None
        if a.__class__ is not b.__class__:
            a = CASTS[b.__class__](a)
            if a is None:
                return None
        return a == b  # type: ignore[no-any-return]

    return equal


def _like(node: Like) -> Compiled:
    text, fits_pattern = compile_cast(node.operand, str), matcher(node.compiled)
    most = TEXT if node.compiled.searches else None

    def like(attributes: Attributes) -> bool | None:
        value = text(attributes)
        if value is None or (most is not None and len(value) > most):
            return None
        return fits_pattern(value)

    return like


def _in(node: In) -> Compiled:
    """The operand's type decides what its elements are cast to (3.4.5)."""
    value = compile_value(node.operand)
    constants = [folded(element) for element in node.elements]
    texts = (
        None
        if None in constants
        else frozenset(string(constant) for constant in constants if constant is not None)
    )
    elements = tuple(compile_value(element) for element in node.elements)

    def found(attributes: Attributes) -> bool | None:
        wanted = value(attributes)
        if wanted is None:
            return None
        kind = wanted.__class__
        if texts is not None and kind is str:
            return wanted in texts
        cast = CASTS[kind]
        for element in elements:
            other = element(attributes)
            if other is None:
                return None
            other = cast(other)
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
    builtin = BUILTINS.find(node.name, len(node.arguments)) is function
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
        except Exception:  # told by the interpreter
            return None
        return result if builtin or fits(result, function) else None

    return called
