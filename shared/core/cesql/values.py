"""Values, their types and the casts between them (CESQL 1.0, sections 3.1 and 3.7).

The three types are Python's `str`, `int` and `bool`; an `int` has 32 bits. Casts and arithmetic answer None where
CESQL has an error.
"""

from collections.abc import Callable, Mapping

Value = str | int | bool
Type = type[str] | type[int] | type[bool]
Attributes = Mapping[str, Value]
"""The context attributes of one event, those that are absent left out. URIs, timestamps and binary values are given
in their canonical text form."""

LEAST, GREATEST = -(2**31), 2**31 - 1
ZERO: dict[Type | None, Value] = {str: "", int: 0, bool: False, None: False}
"""The zero value of each type (3.1); where a type cannot be told, Boolean's (3.2)."""
NAMES: dict[Type, str] = {str: "String", int: "Integer", bool: "Boolean"}


def primitive(value: object) -> Value:
    """An attribute's value as one of the three types: what is none of them appears as a String (3.2)."""
    if value is True or value is False:
        return bool(value)
    if isinstance(value, int) and LEAST <= value <= GREATEST:
        return int(value)
    return str.__str__(value) if isinstance(value, str) else str(value)


def string(value: Value) -> str:
    """A value as String; every value has one."""
    if value.__class__ is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def integer(value: Value) -> int | None:
    """A value as Integer: base 10, one optional sign, 32 bits, nothing else around it."""
    if value.__class__ is int:
        return value
    if value.__class__ is bool:
        return 1 if value else 0
    text: str = value  # type: ignore[assignment]
    if len(text) < 10 and text.isdigit() and text.isascii():
        return int(text)
    digits = text[1:] if text[:1] in {"-", "+"} else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(digits) > 10:
        digits = digits.lstrip("0") or "0"
        if len(digits) > 10:
            return None
    number = -int(digits) if text[0] == "-" else int(digits)
    return number if LEAST <= number <= GREATEST else None


def boolean(value: Value) -> bool | None:
    """A value as Boolean: of texts, those that are `true` or `false` in lower case."""
    if value.__class__ is bool:
        return value
    if value.__class__ is int:
        return value != 0
    lower = value.lower() if len(value) < 6 else ""  # type: ignore[union-attr, arg-type]
    return True if lower == "true" else False if lower == "false" else None


CASTS: dict[Type, Callable[[Value], Value | None]] = {str: string, int: integer, bool: boolean}


def _ranged(number: int) -> int | None:
    return number if LEAST <= number <= GREATEST else None


def add(x: int, y: int) -> int | None:
    return _ranged(x + y)


def subtract(x: int, y: int) -> int | None:
    return _ranged(x - y)


def multiply(x: int, y: int) -> int | None:
    return _ranged(x * y)


def divide(x: int, y: int) -> int | None:
    """The quotient, rounded towards 0."""
    if y == 0:
        return None
    return _ranged(x // y if (x < 0) == (y < 0) else -(-x // y))


def remainder(x: int, y: int) -> int | None:
    """What `divide` leaves: it has the sign of `x`."""
    if y == 0:
        return None
    return abs(x) % abs(y) if x >= 0 else -(abs(x) % abs(y))


ARITHMETIC: dict[str, Callable[[int, int], int | None]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
}
