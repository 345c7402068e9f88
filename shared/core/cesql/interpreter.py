"""What an expression evaluates to, step by step, with the errors of CESQL 1.0.

Evaluation is fail-fast (section 4.1): the first error ends it. This is the plain reading of sections 3.2 to 3.7; what
runs for every event is compiled from the same nodes, and tests hold the two against each other.
"""

from .errors import FunctionError, Kind
from .functions import Function
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
    type_of,
)
from .values import ARITHMETIC, CASTS, NAMES, ZERO, Attributes, Type, Value, primitive, string

_SHOWN = 80


class Fault(Exception):
    """The first error, the node that it arose in, and what this node is worth all the same (3.3)."""

    def __init__(self, kind: Kind, message: str, node: Node, value: Value | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.node = node
        self.value = ZERO[type_of(node)] if value is None else value


def shown(value: Value) -> str:
    """A value as CESQL writes it, cut when long."""
    text = string(value)
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"'{cut}'" if isinstance(value, str) else cut


def evaluate(node: Node, attributes: Attributes) -> Value:
    """The value of a node. Raises Fault."""
    match node:
        case Literal(value=value):
            return value
        case Attribute(name=name):
            found = attributes.get(name)
            if found is None:
                raise Fault("missingAttribute", f"the event has no attribute {name}", node)
            return primitive(found)
        case Exists(name=name):
            return name in REQUIRED or attributes.get(name) is not None
        case Not(operand=operand):
            return not _cast(operand, bool, attributes)
        case Negate(operand=operand):
            return _calculated(node, "-", 0, int(_cast(operand, int, attributes)))
        case Arithmetic(operator=operator, left=left, right=right):
            x = int(_cast(left, int, attributes))
            return _calculated(node, operator, x, int(_cast(right, int, attributes)))
        case Logic():
            return _logic(node, attributes)
        case Compare():
            return _compare(node, attributes)
        case Like(operand=operand, compiled=pattern, negated=negated):
            text = str(_cast(operand, str, attributes))
            if pattern.searches:
                _measured(text, node)
            return matcher(pattern)(text) is not negated
        case In(operand=operand, elements=elements, negated=negated):
            value = evaluate(operand, attributes)
            wanted = type(value)
            return any(_cast(element, wanted, attributes) == value for element in elements) is not negated
        case Call():
            return _call(node, attributes)


def _cast(node: Node, wanted: Type, attributes: Attributes) -> Value:
    return cast(evaluate(node, attributes), wanted, node)


def cast(value: Value, wanted: Type, node: Node) -> Value:
    """A value of `node` as another type (3.7). Raises Fault."""
    result = CASTS[wanted](value)
    if result is None:
        raise Fault("cast", f"{shown(value)} is no {NAMES[wanted]}", node)
    return result


def _calculated(node: Node, operator: str, x: int, y: int) -> int:
    result = ARITHMETIC[operator](x, y)
    if result is None:
        zero = operator in "/%" and y == 0
        raise Fault("math", "division by 0" if zero else "the result has more than 32 bits", node)
    return result


def _logic(node: Logic, attributes: Attributes) -> bool:
    """From the left; AND is done at the first false, OR at the first true (3.4.2)."""
    first, *rest = node.operands
    result = bool(_cast(first, bool, attributes))
    for operand in rest:
        if node.operator != "XOR" and result is (node.operator == "OR"):
            return result
        value = bool(_cast(operand, bool, attributes))
        result = result is not value if node.operator == "XOR" else value
    return result


def _compare(node: Compare, attributes: Attributes) -> bool:
    """The right operand's type decides what = and != compare (3.7); the others compare Integers."""
    left, right = evaluate(node.left, attributes), evaluate(node.right, attributes)
    if node.operator in {"=", "!="}:
        same = cast(left, type(right), node.left) == right
        return same is (node.operator == "=")
    x, y = int(cast(left, int, node.left)), int(cast(right, int, node.right))
    match node.operator:
        case "<":
            return x < y
        case "<=":
            return x <= y
        case ">":
            return x > y
        case _:
            return x >= y


def _measured(text: str, node: Node) -> None:
    if len(text) > TEXT:
        raise Fault("generic", f"a text of {len(text)} characters is too long to be worked on", node)


def _call(node: Call, attributes: Attributes) -> Value:
    function = node.function
    if function is None:
        raise Fault("missingFunction", f"there is no function {node.name} of {counted(node)}", node)
    values = [
        _cast(argument, wanted, attributes)
        for argument, wanted in zip(node.arguments, function.types(len(node.arguments)), strict=True)
    ]
    for value in values:
        if isinstance(value, str):
            _measured(value, node)
    try:
        result = function.call(*values)
    except FunctionError as error:
        value = (
            error.value if error.value is not None and fits(error.value, function) else ZERO[function.returns]
        )
        raise Fault(error.kind, error.message, node, value) from None
    except Exception as error:
        raise Fault("functionEvaluation", f"{node.name} failed: {type(error).__name__}", node) from None
    if not fits(result, function):
        raise Fault("functionEvaluation", f"{node.name} gave no {NAMES[function.returns]}", node)
    return result  # type: ignore[no-any-return]


def counted(node: Call) -> str:
    """How many arguments a call has, in words."""
    count = len(node.arguments)
    return "1 argument" if count == 1 else f"{count} arguments"


def fits(result: object, function: Function) -> bool:
    """Whether a function gave what it is declared to."""
    return type(result) is function.returns and primitive(result) == result
