"""CloudEvents SQL expressions (CESQL 1.0): parse once, match every event.

expression = parse("type = 'com.example.order' AND subject LIKE 'eu/%'")
expression.matches({"type": "com.example.order", "subject": "eu/7"})  # True
"""

from .errors import EvaluationError, FunctionError, Kind, OverloadError, ParseError
from .explanation import Explanation
from .expression import Expression, Result, parse
from .functions import BUILTINS, Function, Functions
from .limits import Limits
from .lint import Lint
from .requirement import Condition, Requirement
from .terms import Term, TermCondition

__all__ = [
    "BUILTINS",
    "Condition",
    "EvaluationError",
    "Explanation",
    "Expression",
    "Function",
    "FunctionError",
    "Functions",
    "Kind",
    "Limits",
    "Lint",
    "OverloadError",
    "ParseError",
    "Requirement",
    "Result",
    "Term",
    "TermCondition",
    "parse",
]
