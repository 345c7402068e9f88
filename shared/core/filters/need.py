"""What an event needs to have for a filter to be true of it: what an index can look up.

It is said as alternatives of conditions that hold together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from shared.core.filters.terms import Comparison
from shared.core.filters.verdict import Attributes, canonical

Atom: TypeAlias = tuple[str, str, str]
"""Attribute, dialect (exact, prefix or suffix) and text: what a `Leaf` says of one attribute."""

MAX_ALTERNATIVES = 2_000
MAX_PRODUCT = 32


@dataclass(frozen=True, slots=True)
class Need:
    """Conditions that hold together; `strings` are attributes whose value is a String, not another's text."""

    atoms: frozenset[Atom] = frozenset()
    strings: frozenset[str] = frozenset()
    comparisons: frozenset[Comparison] = frozenset()

    def __or__(self, other: "Need") -> "Need":
        return Need(
            self.atoms | other.atoms, self.strings | other.strings, self.comparisons | other.comparisons
        )

    def fits(self, attributes: Attributes) -> bool:
        """Whether the conditions on attributes hold; those on terms are not looked at."""
        for name, dialect, text in self.atoms:
            value = attributes.get(name)
            if value is None:
                return False
            seen = value if type(value) is str else canonical(value)
            if dialect == "exact":
                if seen != text:
                    return False
            elif not (seen.startswith(text) if dialect == "prefix" else seen.endswith(text)):
                return False
        return all(type(attributes.get(name)) is str for name in self.strings)


@dataclass(frozen=True, slots=True)
class Needs:
    """Alternatives, one of which holds whenever a filter is true; `complete` when never else."""

    alternatives: tuple[Need, ...]
    complete: bool


def exactly(need: Need) -> Needs:
    """A filter that is true when `need` holds."""
    return Needs((need,), complete=True)


def all_of(parts: Iterable[Needs | None]) -> Needs | None:
    """For parts that are all true: the combinations while they are few, else the fewest known."""
    many = list(parts)
    known = sorted((part for part in many if part is not None), key=lambda part: len(part.alternatives))
    if not known:
        return None
    complete = len(known) == len(many) and all(part.complete for part in known)
    found = known[0].alternatives
    for part in known[1:]:
        if len(found) * len(part.alternatives) > max(MAX_PRODUCT, len(found)):
            complete = False
            break
        found = tuple(one | other for one in found for other in part.alternatives)
    return Needs(tuple(dict.fromkeys(found)), complete)


def any_of(parts: Iterable[Needs | None]) -> Needs | None:
    """For parts of which one is true."""
    found: list[Need] = []
    complete = True
    for part in parts:
        if part is None or len(found) + len(part.alternatives) > MAX_ALTERNATIVES:
            return None
        found.extend(part.alternatives)
        complete = complete and part.complete
    return Needs(tuple(dict.fromkeys(found)), complete) if found else None
