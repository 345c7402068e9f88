"""What a filter says of an event, and how it shows the values it saw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | bool
Attributes = Mapping[str, Value]

SHOWN_LENGTH = 200
SHOWN_FACTS = 5
"""What an explanation shows of a value, and how many attributes it tells of."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an event passed; if not, the first dialect object that failed and the value it saw.

    `error` is set when that object could not judge the event: by its rules such an event does not pass it.
    """

    matched: bool
    clause: dict[str, Any] | None = None
    detail: str | None = None
    error: str | None = None


MATCHED = Verdict(matched=True)


def canonical(value: Value) -> str:
    """The canonical string of an attribute value (CloudEvents, Type System): S21 compares by it."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value if isinstance(value, str) else str(value)


def shown(text: str) -> str:
    """`text`, cut short when it is long."""
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


def fact(name: str, attributes: Attributes) -> str:
    """What an event says of one attribute."""
    value = attributes.get(name)
    return f"{name} is missing" if value is None else f"{name} is {shown(canonical(value))}"


def joined(facts: Iterable[str]) -> str:
    """The first of `facts`, each once."""
    return "; ".join(list(dict.fromkeys(facts))[:SHOWN_FACTS])
