"""Functions, how they overload, and those of the standard (CESQL 1.0, section 3.5)."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .errors import FunctionError, OverloadError
from .limits import TEXT
from .values import GREATEST, LEAST, NAMES, Type

_NAME = re.compile(r"[A-Za-z][A-Za-z_]*")
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000"
)
"""Unicode's property White_Space. Python's `strip()` would take the control characters U+001C to U+001F too."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that expressions may call.

    `call` gets its arguments cast to `parameters`, and to `variadic` those after them. It must give a value of the
    type `returns`, depend on nothing but its arguments and change nothing. It fails with FunctionError; whatever else
    it raises or gives is an error of kind `functionEvaluation` with the zero value of `returns`.
    """

    name: str
    parameters: tuple[Type, ...]
    returns: Type
    call: Callable[..., Any]
    variadic: Type | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise OverloadError(f"{self.name!r} is no name of a function: letters and _ only, a letter first")
        types = {*self.parameters, self.returns} | ({self.variadic} if self.variadic else set())
        if not types <= NAMES.keys():
            raise OverloadError(f"{self.name} has other types than str, int and bool")

    def types(self, count: int) -> tuple[Type, ...]:
        """The types of `count` arguments."""
        rest = count - len(self.parameters)
        return self.parameters + (self.variadic,) * rest if self.variadic else self.parameters


class Functions:
    """Functions by name and number of arguments. Cannot be changed: `extended` gives another one.

    Raises OverloadError when two of a name could answer the same call: one function for each number of arguments,
    and at most one variadic, with more fixed arguments than any other of its name has arguments.
    """

    __slots__ = ("_fixed", "_variadic")

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self._fixed: dict[tuple[str, int], Function] = {}
        self._variadic: dict[str, Function] = {}
        for function in functions:
            self._add(function)

    def _add(self, function: Function) -> None:
        name, arity = function.name.upper(), len(function.parameters)
        other = self._variadic.get(name)
        if function.variadic is None:
            if (name, arity) in self._fixed:
                raise OverloadError(f"{name} with {arity} arguments is there already")
            if other is not None and len(other.parameters) <= arity:
                raise OverloadError(
                    f"a call of {name} with {arity} arguments could mean the variadic one, too"
                )
            self._fixed[name, arity] = function
            return
        if other is not None:
            raise OverloadError(f"{name} has a variadic definition already")
        most = max((count for known, count in self._fixed if known == name), default=-1)
        if arity <= most:
            raise OverloadError(
                f"the variadic {name} needs at least {most + 1} fixed arguments beside the others"
            )
        self._variadic[name] = function

    def __iter__(self) -> Iterator[Function]:
        yield from self._fixed.values()
        yield from self._variadic.values()

    def extended(self, *functions: Function) -> "Functions":
        """These and others. Raises OverloadError."""
        return Functions((*self, *functions))

    def find(self, name: str, count: int) -> Function | None:
        """The function that a call with `count` arguments means; names are the same in any case."""
        name = name.upper()
        found = self._fixed.get((name, count))
        if found is None:
            found = self._variadic.get(name)
            if found is not None and count < len(found.parameters):
                return None
        return found

    def names(self) -> frozenset[str]:
        """The names in capitals."""
        return frozenset(function.name.upper() for function in self)


def _bounded(texts: tuple[str, ...], between: int = 0) -> None:
    if sum(map(len, texts)) + between * max(len(texts) - 1, 0) > TEXT:
        raise FunctionError(f"the text would have more than {TEXT} characters", kind="generic")


def _concat(*texts: str) -> str:
    _bounded(texts)
    return "".join(texts)


def _concat_ws(delimiter: str, *texts: str) -> str:
    _bounded(texts, len(delimiter))
    return delimiter.join(texts)


def _left(text: str, count: int) -> str:
    if count < 0:
        raise FunctionError("LEFT needs a count of at least 0", text)
    return text[:count]


def _right(text: str, count: int) -> str:
    if count < 0:
        raise FunctionError("RIGHT needs a count of at least 0", text)
    return text[max(len(text) - count, 0) :]


def _substring(text: str, position: int, length: int | None = None) -> str:
    size = len(text)
    if position > size or position < -size:
        raise FunctionError(f"SUBSTRING has position {position} in a text of {size} characters")
    if length is not None and length < 0:
        raise FunctionError("SUBSTRING needs a length of at least 0")
    if position == 0:
        return ""
    start = position - 1 if position > 0 else size + position
    return text[start:] if length is None else text[start : start + length]


def _abs(number: int) -> int:
    if number == LEAST:
        raise FunctionError("the result has more than 32 bits", GREATEST, "math")
    return abs(number)


def _same(value: Any) -> Any:
    return value


BUILTINS = Functions(
    (
        Function("LENGTH", (str,), int, len),
        Function("CONCAT", (), str, _concat, variadic=str),
        Function("CONCAT_WS", (str,), str, _concat_ws, variadic=str),
        Function("LOWER", (str,), str, str.lower),
        Function("UPPER", (str,), str, str.upper),
        Function("TRIM", (str,), str, lambda text: text.strip(_WHITE_SPACE)),
        Function("LEFT", (str, int), str, _left),
        Function("RIGHT", (str, int), str, _right),
        Function("SUBSTRING", (str, int), str, _substring),
        Function("SUBSTRING", (str, int, int), str, _substring),
        Function("ABS", (int,), int, _abs),
        # Not in the tables of section 3.5, but in its examples and test cases: the implicit cast does all there is.
        Function("INT", (int,), int, _same),
        Function("BOOL", (bool,), bool, _same),
        Function("STRING", (str,), str, _same),
    )
)
"""The functions of the standard, and INT, BOOL and STRING."""
