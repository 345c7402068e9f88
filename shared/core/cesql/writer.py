"""From nodes back to text: keywords in capitals, and the parentheses that are needed or that say how it is read."""

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
)
from .parser import BINARY, COMPARISON, LOGIC, PRODUCT, SUM
from .tokens import KEYWORDS, tokens

_POSTFIX, _PREFIX, _PRIMARY = PRODUCT + 1, PRODUCT + 2, PRODUCT + 3


def write(node: Node, least: int = LOGIC) -> str:
    """The text of a node, in parentheses where it binds less tightly than `least`. Parsed, it is the same again.

    Raises ValueError for a String that no literal stands for, such as one that ends in one backslash: no parsed
    expression has such a one.
    """
    text, binds = _written(node)
    return text if binds >= least else f"({text})"


def _written(node: Node) -> tuple[str, int]:
    match node:
        case Literal(value=str(value)):
            return _quoted(value), _PRIMARY
        case Literal(value=value):
            return str(value).upper(), _PRIMARY
        case Attribute(name=name):
            return (f"({name})" if name.upper() in KEYWORDS else name), _PRIMARY
        case Exists(name=name):
            return f"EXISTS {name}", _PREFIX
        case Not(operand=operand):
            return f"NOT {write(operand, _PREFIX)}", _PREFIX
        case Negate(operand=operand):
            text = write(operand, _PREFIX)
            return f"- {text}" if text[0] in "-0123456789" else f"-{text}", _PREFIX
        case Logic(operator=operator, operands=operands):
            return f" {operator} ".join(write(operand, COMPARISON) for operand in operands), LOGIC
        case Compare(operator=operator, left=left, right=right):
            return f"{write(left, COMPARISON)} {operator} {write(right, SUM)}", COMPARISON
        case Arithmetic(operator=operator, left=left, right=right):
            binds = BINARY[operator]
            return f"{write(left, binds)} {operator} {write(right, binds + 1)}", binds
        case Like(operand=operand, pattern=pattern, negated=negated):
            return f"{write(operand, _POSTFIX)} {'NOT ' * negated}LIKE {_quoted(pattern)}", _POSTFIX
        case In(operand=operand, elements=elements, negated=negated):
            return (
                f"{write(operand, _POSTFIX)} {'NOT ' * negated}IN ({', '.join(map(write, elements))})",
                _POSTFIX,
            )
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(write, arguments))})", _PRIMARY


def _quoted(value: str) -> str:
    for quote in "'\"":
        text = quote + value.replace(quote, "\\" + quote) + quote
        try:
            found = tokens(text)
        except ValueError:
            continue
        if len(found) == 2 and found[0].value == value:
            return text
    raise ValueError(f"no string literal stands for {value!r}")
