"""Works out once what no event changes (CESQL 1.0, section 3.3: errors are found early where they can be)."""

from dataclasses import replace

from .functions import BUILTINS
from .interpreter import Fault, evaluate
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
)


def fold(node: Node) -> Node:
    """The same with every constant part that has no error as a literal. Functions of others are left to be called."""
    below = children(node)
    folded = tuple(map(fold, below))
    if any(new is not old for new, old in zip(folded, below, strict=True)):
        node = _over(node, folded)
    if not is_constant(node):
        return node
    try:
        value = evaluate(node, {})
    except Fault:
        return node
    return Literal(value, start=node.start, end=node.end)


def is_constant(node: Node) -> bool:
    """Whether a node of which all that can be is folded has nothing but literals below it."""
    match node:
        case Literal() | Attribute():
            return False
        case Exists(name=name):
            return name in REQUIRED
        case Call(name=name, arguments=arguments, function=function):
            if function is None or BUILTINS.find(name, len(arguments)) is not function:
                return False
    return all(isinstance(child, Literal) for child in children(node))


def _over(node: Node, below: tuple[Node, ...]) -> Node:
    """A node with others below it."""
    match node:
        case Not() | Negate() | Like():
            return replace(node, operand=below[0])
        case Arithmetic() | Compare():
            return replace(node, left=below[0], right=below[1])
        case Logic():
            return replace(node, operands=below)
        case In():
            return replace(node, operand=below[0], elements=below[1:])
        case Call():
            return replace(node, arguments=below)
        case _:
            return node
