"""CloudEvents SQL expressions (CESQL 1.0): parse once, evaluate for every event.

expression = parse("type = 'com.example.order' AND subject LIKE 'eu/%'")
expression.matches({"type": "com.example.order", "subject": "eu/7", ...})
"""

from .errors import EvaluationError, FunctionError, OverloadError, ParseError
from .expression import Expression, Result, parse
from .functions import BUILTINS, Function, Functions
from .limits import Limits
from .requirement import Condition, Requirement

__all__ = [
    "BUILTINS",
    "Condition",
    "EvaluationError",
    "Expression",
    "Function",
    "FunctionError",
    "Functions",
    "Limits",
    "OverloadError",
    "ParseError",
    "Requirement",
    "Result",
    "parse",
]
