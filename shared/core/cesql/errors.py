"""What can go wrong (CESQL 1.0, section 3.3)."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "parse", "math", "cast", "missingAttribute", "missingFunction", "functionEvaluation", "generic"
]
"""The kinds of errors, by the names that the published test cases use."""

_SHOWN = 60
"""Characters of a line shown to each side of the caret."""


class ParseError(ValueError):
    """A text that is no expression. Nothing else is raised for a text, whatever is in it.

    `message` says what is wrong and what to write instead, `position` is the character it is about, from 0.
    """

    kind: Kind = "parse"

    def __init__(self, message: str, position: int, text: str = "") -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position
        self.text = text

    @property
    def caret(self) -> str:
        """Two lines: the line of the text, cut where it is long, and a caret under the character it is about."""
        begin = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", self.position)
        end = len(self.text) if end < 0 else end
        start = max(begin, self.position - _SHOWN)
        stop = min(end, self.position + _SHOWN)
        before = "…" if start > begin else ""
        line = (
            before + self.text[start:stop].replace("\t", " ").replace("\r", " ") + ("…" if stop < end else "")
        )
        return f"{line}\n{' ' * (len(before) + self.position - start)}^"


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """Why an evaluation failed: its kind, and where in the expression (`text[start:end]`)."""

    kind: Kind
    message: str
    start: int
    end: int


class FunctionError(Exception):
    """Raised by a function that fails (section 3.5.3).

    `value` is what it evaluates to all the same; without one, the zero value of its return type.
    """

    def __init__(
        self,
        message: str,
        value: str | int | bool | None = None,  # noqa: FBT001  # a value of CESQL, no switch
        kind: Kind = "functionEvaluation",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.value = value
        self.kind = kind


class OverloadError(ValueError):
    """Functions of one name that no call could tell apart (section 3.5), or a function that cannot be."""
