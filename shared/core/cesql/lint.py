"""What is legal, and probably not what was meant."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal as OneOf

from .folding import is_constant
from .functions import Functions
from .interpreter import Fault, counted, evaluate, shown
from .nodes import (
    Arithmetic,
    Attribute,
    Call,
    Compare,
    In,
    Like,
    Literal,
    Logic,
    Negate,
    Node,
    Not,
    type_of,
    walk,
)
from .tokens import KEYWORDS
from .values import CASTS, NAMES, Type

Code = OneOf[
    "mixedLogic",
    "looseNot",
    "keywordName",
    "unknownFunction",
    "alwaysFails",
    "constant",
    "notBoolean",
    "bareAttribute",
]


@dataclass(frozen=True, slots=True)
class Lint:
    """Something about `text[start:end]` of an expression that its author may want to know.

    After `unknownFunction` and `alwaysFails` an evaluation that gets there has an error; with `notBoolean` the
    expression never matches.
    """

    code: Code
    message: str
    start: int
    end: int


def lint(text: str, root: Node, folded: Node, functions: Functions) -> tuple[Lint, ...]:
    """All there are, in the order of the text; those about the whole come last."""
    found = [*_readings(text, root), *_failures(folded, functions)]
    return (*sorted(found, key=lambda one: one.start), *_whole(root, folded))


def _readings(text: str, root: Node) -> Iterator[Lint]:
    for node in walk(root):
        match node:
            case Logic(operands=(Logic(wrapped=False) as left, *_)):
                yield Lint(
                    "mixedLogic",
                    f"AND, OR and XOR bind equally and are read from the left, so this means "
                    f"({_quoted(text, left)}) {node.operator} …: put parentheses around what belongs together",
                    node.start,
                    node.end,
                )
            case (
                Compare(left=Not(wrapped=False) as left)
                | Arithmetic(left=Not(wrapped=False) as left)
                | Like(operand=Not(wrapped=False) as left)
                | In(operand=Not(wrapped=False) as left)
            ):
                yield Lint(
                    "looseNot",
                    f"NOT binds tightest, so this means ({_quoted(text, left)}) and then the rest: "
                    "write NOT (…) to turn all of it round",
                    node.start,
                    node.end,
                )
            case Attribute(name=name) if name.upper() in KEYWORDS:
                yield Lint(
                    "keywordName", f"{name} is read as the attribute of that name", node.start, node.end
                )


def _quoted(text: str, node: Node) -> str:
    part = text[node.start : node.end]
    return part if len(part) <= 80 else part[:80] + "…"


def _failures(root: Node, functions: Functions) -> Iterator[Lint]:
    for node in walk(root):
        if isinstance(node, Call) and node.function is None:
            yield _unknown(node, functions)
        elif is_constant(node):
            try:
                evaluate(node, {})
            except Fault as fault:
                yield Lint("alwaysFails", f"this always fails: {fault.message}", node.start, node.end)
        else:
            for child, wanted in _casts(node):
                if isinstance(child, Literal) and CASTS[wanted](child.value) is None:
                    yield Lint(
                        "alwaysFails",
                        f"this always fails: {shown(child.value)} is no {NAMES[wanted]}",
                        child.start,
                        child.end,
                    )


def _unknown(node: Call, functions: Functions) -> Lint:
    names = functions.names()
    return Lint(
        "unknownFunction",
        f"{node.name} does not take {counted(node)}"
        if node.name in names
        else f"there is no function {node.name}; there are {', '.join(sorted(names))}",
        node.start,
        node.end,
    )


def _casts(node: Node) -> Iterator[tuple[Node, Type]]:
    """What a node casts to types that do not depend on the event."""
    match node:
        case Not(operand=operand):
            yield operand, bool
        case Negate(operand=operand):
            yield operand, int
        case Arithmetic(left=left, right=right):
            yield from ((left, int), (right, int))
        case Compare(operator="=" | "!=", left=left, right=right):
            wanted = type_of(right)
            if wanted is not None:
                yield left, wanted
        case Compare(left=left, right=right):
            yield from ((left, int), (right, int))
        case Logic(operands=operands):
            yield from ((operand, bool) for operand in operands)
        case Call(arguments=arguments, function=function) if function is not None:
            yield from zip(arguments, function.types(len(arguments)), strict=True)


def _whole(root: Node, folded: Node) -> Iterator[Lint]:
    kind = type_of(root)
    if isinstance(folded, Literal) and kind is bool:
        yield Lint("constant", f"this is {shown(folded.value)} for every event", root.start, root.end)
    elif kind in {str, int}:
        yield Lint(
            "notBoolean",
            f"this gives {NAMES[kind]} values, and only a Boolean matches: compare it with something",
            root.start,
            root.end,
        )
    elif isinstance(root, Attribute):
        yield Lint(
            "bareAttribute",
            f"this matches only where {root.name} is a Boolean; in HTTP headers it is a text: "
            f"{root.name} = TRUE matches both",
            root.start,
            root.end,
        )
