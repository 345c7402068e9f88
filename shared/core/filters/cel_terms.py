"""What CEL expressions compare: members of the data and attributes, with their values as CEL has them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from shared.core.filters.data import EventData
from shared.core.filters.terms import ABSENT, COMPOUND, FAULT, UNSURE
from shared.core.filters.verdict import Attributes

SURE = 2**53
"""Past it, the library compares an integer with a double after rounding it; other readers do not."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Member:
    """`data.a.b`, or `data` itself for an empty path."""

    sees_data: ClassVar[bool] = True

    path: tuple[str, ...]

    def value(self, attributes: Attributes, data: EventData) -> Any:  # noqa: ARG002 Term
        """Its value."""
        try:
            value = data.read()
        except ValueError:
            return FAULT
        path = self.path
        if path:
            for step in path[:-1]:
                if type(value) is not dict or step not in value:
                    return FAULT
                value = value[step]
            if type(value) is not dict:
                return FAULT
            value = value.get(path[-1], ABSENT)
            if value is ABSENT:
                return ABSENT
        return _seen(value)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Own:
    """An attribute; `otherwise` when the event has none."""

    sees_data: ClassVar[bool] = False

    name: str
    otherwise: Any = ABSENT

    def value(self, attributes: Attributes, data: EventData) -> Any:  # noqa: ARG002 Term
        """Its value."""
        value = attributes.get(self.name)
        return self.otherwise if value is None else _seen(value)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Size:
    """The bytes of data that can be read."""

    sees_data: ClassVar[bool] = True

    def value(self, attributes: Attributes, data: EventData) -> Any:  # noqa: ARG002 Term
        """How many they are."""
        try:
            data.read()
        except ValueError:
            return FAULT
        return data.size


def _seen(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int or kind is float:
        return value if -SURE <= value <= SURE else UNSURE
    return COMPOUND
