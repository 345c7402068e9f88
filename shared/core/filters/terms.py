"""What expressions compare besides attributes as they are: terms, and comparisons of their values.

A term is worked out of an event: a member of its data, `LENGTH(subject)`. Expressions that say the same have
equal terms, so that an index works each out once for all of them. A value is a text, a Boolean, a number, None
for JSON's null, or one of the marks below.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, ClassVar, Final, Literal, Protocol, TypeVar
from weakref import WeakValueDictionary

from shared.core.filters.data import EventData
from shared.core.filters.verdict import Attributes


class Mark:
    """A value that is none that an expression could be compared with."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


FAULT: Final = Mark("FAULT")
"""Working it out is an error: no comparison holds."""

ABSENT: Final = Mark("ABSENT")
"""There is no such member, in an object that might have it: an error, but no error of `has`."""

COMPOUND: Final = Mark("COMPOUND")
"""A list or an object."""

UNSURE: Final = Mark("UNSURE")
"""What an expression makes of this value is for its own evaluator to say."""

T = TypeVar("T", bound="Term")
Kind = Literal["in", "prefix", "suffix", "<", "<=", ">", ">=", "there", "absent"]
ORDER = {"<": lt, "<=": le, ">": gt, ">=": ge}
OPPOSITE: dict[str, Kind] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "there": "absent", "absent": "there"}


class Term(Protocol):
    """Something that is worked out of an event. What is the same thing is the same object: see `the_one`."""

    sees_data: ClassVar[bool]

    def value(self, attributes: Attributes, data: EventData) -> Any: ...


_TERMS: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()


def the_one(key: Hashable, make: Callable[[], T]) -> T:
    """The term of that key, made when there is none: so terms are compared as fast as can be."""
    found: T | None = _TERMS.get(key)
    if found is None:
        found = _TERMS[key] = make()
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a term's value that depends on nothing else.

    `wanted` is a set of `key_of` values for `in`, else the text or number. A negated one holds of the values
    that could be compared and are others: for a beginning or an end these are texts.
    """

    term: Term
    kind: Kind
    wanted: Any = None
    negated: bool = False

    def holds(self, value: Any) -> bool:
        """Whether it is surely true of a value; UNSURE is none to ask about."""
        kind = self.kind
        if value is FAULT:
            return False
        if kind == "absent":
            return value is ABSENT
        if value is ABSENT:
            return False
        if kind == "in":
            return (key_of(value) in self.wanted) is not self.negated
        if kind == "there":
            return True
        if kind in ORDER:
            return type(value) in _NUMBERS and bool(ORDER[kind](value, self.wanted))
        if type(value) is not str:
            return False
        fits = value.startswith(self.wanted) if kind == "prefix" else value.endswith(self.wanted)
        return fits is not self.negated

    def opposite(self) -> "Comparison":
        """Holds where this one surely does not, as far as both could be asked at all."""
        if self.kind in OPPOSITE:
            return Comparison(self.term, OPPOSITE[self.kind], self.wanted)
        return Comparison(self.term, self.kind, self.wanted, not self.negated)


_NUMBERS = frozenset({int, float})


def key_of(value: Any) -> Hashable:
    """Equal for values that are equal to an expression: 1 and 1.0 are, 1 and true are not."""
    return (value,) if value is True or value is False or value is None else value
