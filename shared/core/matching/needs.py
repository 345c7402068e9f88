"""What an event needs to have for a filter to be true of it: what an index can look up.

Two questions are asked of a compiled clause. `needs`: which attribute texts must be there for it to be true
at all, as alternatives of conditions that hold together. `is_plain` and `atoms`: whether its verdict depends
on nothing but a fixed set of such conditions, and on which.
"""

from collections.abc import Iterator
from typing import TypeAlias

from shared.core.filters import All, Any, Clause, Leaf, Not

Atom: TypeAlias = tuple[str, str, str]
"""Attribute, dialect (exact, prefix or suffix) and text."""

Need: TypeAlias = frozenset[Atom]

MAX_ALTERNATIVES = 2_000
MAX_PRODUCT = 32


def needs(clause: Clause) -> list[Need] | None:
    """Alternatives, one of which holds whenever `clause` is true; None when nothing can be said."""
    if isinstance(clause, Leaf):
        return [frozenset((name, clause.dialect, text) for name, text in clause.entries)]
    if isinstance(clause, All):
        return _together([found for nested in clause.nested if (found := needs(nested)) is not None])
    if isinstance(clause, Any):
        alternatives: list[Need] = []
        for nested in clause.nested:
            found = needs(nested)
            if found is None or len(alternatives) + len(found) > MAX_ALTERNATIVES:
                return None
            alternatives.extend(found)
        return alternatives
    if isinstance(clause, Not):
        return needs(clause.nested.nested) if isinstance(clause.nested, Not) else None
    implies: Clause | None = getattr(clause, "implies", None)
    return None if implies is None else needs(implies)


def is_plain(clause: Clause) -> bool:
    """Whether the verdict depends on the truth of `atoms(clause)` alone."""
    if isinstance(clause, Leaf):
        return True
    if isinstance(clause, All | Any):
        return all(map(is_plain, clause.nested))
    if isinstance(clause, Not):
        return is_plain(clause.nested)
    return bool(getattr(clause, "implies_all", False))


def atoms(clause: Clause) -> Iterator[Atom]:
    """Every condition in a plain clause."""
    if isinstance(clause, Leaf):
        for name, text in clause.entries:
            yield name, clause.dialect, text
    elif isinstance(clause, All | Any):
        for nested in clause.nested:
            yield from atoms(nested)
    elif isinstance(clause, Not):
        yield from atoms(clause.nested)
    else:
        implies: Clause | None = getattr(clause, "implies", None)
        if implies is not None:
            yield from atoms(implies)


def _together(parts: list[list[Need]]) -> list[Need] | None:
    """Alternatives for clauses that all hold: the combinations while they are few, else the fewest known."""
    if not parts:
        return None
    parts.sort(key=len)
    found = parts[0]
    for part in parts[1:]:
        if len(found) * len(part) > max(MAX_PRODUCT, len(found)):
            break
        found = [one | other for one in found for other in part]
    return list(dict.fromkeys(found))
