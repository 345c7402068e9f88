"""A parsed expression and what can be asked of it."""

from collections.abc import Callable
from dataclasses import dataclass

from . import parser
from .compiler import compile_match
from .errors import EvaluationError
from .explanation import Explanation, explain, told
from .folding import fold
from .functions import BUILTINS, Functions
from .interpreter import Fault, evaluate
from .limits import DEFAULT, Limits
from .lint import Lint, lint
from .nodes import Node, names, type_of
from .requirement import Requirement, required
from .values import NAMES, ZERO, Attributes, Value
from .writer import write


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation gives: a value always (3.3), and the error that ended it, if one did."""

    value: Value
    error: EvaluationError | None = None


class Expression:
    """A CESQL expression, ready to be evaluated. Immutable; threads may share it."""

    __slots__ = ("_folded", "_functions", "_root", "attributes", "matches", "text", "type")

    text: str
    """What was parsed."""
    attributes: frozenset[str]
    """Names of the attributes that it reads or asks for with EXISTS, in lower case."""
    type: str | None
    """`String`, `Integer` or `Boolean`; None when the event decides."""
    matches: Callable[[Attributes], bool]
    """Whether it is TRUE for an event with these attributes; False after any error and for other types (1.2)."""

    def __init__(self, text: str, root: Node, functions: Functions) -> None:
        self.text = text
        self._root = root
        self._functions = functions
        self._folded = fold(root)
        self.attributes = frozenset(names(root))
        kind = type_of(root)
        self.type = NAMES[kind] if kind else None
        self.matches = compile_match(self._folded)

    def evaluate(self, attributes: Attributes) -> Result:
        """The value for an event with these attributes, and the first error (fail-fast, 4.1). Never raises.

        After an error the value is the zero value of the expression's type, unless the operator or function that
        failed is all of the expression and has a value all the same: `LEFT('abc', -1)` is `abc`.
        """
        try:
            return Result(evaluate(self._root, attributes))
        except Fault as fault:
            value = fault.value if fault.node is self._root else ZERO[type_of(self._root)]
            return Result(value, told(fault))

    def explain(self, attributes: Attributes) -> Explanation:
        """What `matches` says, and why."""
        return explain(self.text, self._root, attributes)

    def required(self) -> Requirement:
        """What has to hold of the attributes for the expression to be TRUE: for an index of many expressions."""
        return required(self._folded)

    @property
    def warnings(self) -> tuple[Lint, ...]:
        """What is legal and probably not what was meant."""
        return lint(self.text, self._root, self._folded, self._functions)

    def __str__(self) -> str:
        """The same expression in one line, with the parentheses that say how it is read."""
        return write(self._root)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def parse(text: str, functions: Functions = BUILTINS, limits: Limits = DEFAULT) -> Expression:
    """The expression that a text is. Raises ParseError, and for a text nothing else.

    A call of a function that is not there is no ParseError but an error of evaluation (3.5) and one of `warnings`.
    """
    return Expression(text, parser.parse(text, functions, limits), functions)
