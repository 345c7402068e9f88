"""A parsed expression and what can be asked of it."""

from collections.abc import Callable
from dataclasses import dataclass

from . import parser
from .compiler import compile_match, compile_value
from .errors import EvaluationError
from .functions import BUILTINS, Functions
from .interpreter import Fault, evaluate
from .limits import DEFAULT, Limits
from .nodes import Node, names, type_of
from .requirement import Requirement, required
from .values import NAMES, ZERO, Attributes, Value


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation gives: a value always (3.3), and the error that ended it, if one did."""

    value: Value
    error: EvaluationError | None = None


class Expression:
    """A CESQL expression, ready to be evaluated. Immutable; safe to share between threads."""

    __slots__ = ("_root", "_value", "attributes", "matches", "text", "type")

    text: str
    """What was parsed."""
    attributes: frozenset[str]
    """Names of the attributes that it reads or asks for with EXISTS, in lower case."""
    type: str | None
    """`String`, `Integer` or `Boolean`; None when the event decides."""
    matches: Callable[[Attributes], bool]
    """Whether it is TRUE for an event with these attributes; False after any error and for other types (1.2)."""

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self._root = root
        self._value = compile_value(root)
        self.attributes = frozenset(names(root))
        kind = type_of(root)
        self.type = NAMES[kind] if kind else None
        self.matches = compile_match(root)

    def evaluate(self, attributes: Attributes) -> Result:
        """The value for an event with these attributes. Never raises."""
        value = self._value(attributes)
        if value is not None:
            return Result(value)
        try:
            return Result(evaluate(self._root, attributes))
        except Fault as fault:
            worth = fault.value if fault.node is self._root else ZERO[type_of(self._root)]
            return Result(worth, EvaluationError(fault.kind, fault.message, fault.node.start, fault.node.end))

    def required(self) -> Requirement:
        """What has to hold of the attributes for the expression to be TRUE."""
        return required(self._root)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def parse(text: str, functions: Functions = BUILTINS, limits: Limits = DEFAULT) -> Expression:
    """The expression that a text is. Raises ParseError, and for a text nothing else.

    A call of a function that is not there is no ParseError but an error of evaluation (3.5).
    """
    return Expression(text, parser.parse(text, functions, limits))
