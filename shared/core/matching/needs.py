"""What is asked of a filter before it is put into the index.

`needs` is what an event must have for it to be true. A filter that is `is_plain` depends on nothing but the truth of
its `atoms`.
"""

from collections.abc import Iterator

from shared.core.filters import All, Any, Atom, Clause, Leaf, Need, Needs, Not, all_of, any_of, exactly


def needs(clause: Clause) -> Needs | None:
    """Alternatives, one of which holds whenever `clause` is true; None when nothing can be said."""
    if isinstance(clause, Leaf):
        return exactly(Need(frozenset((name, clause.dialect, text) for name, text in clause.entries)))
    if isinstance(clause, All):
        return all_of(map(needs, clause.nested))
    if isinstance(clause, Any):
        return any_of(map(needs, clause.nested))
    if isinstance(clause, Not):
        return needs(clause.nested.nested) if isinstance(clause.nested, Not) else None
    found: Needs | None = getattr(clause, "needs", None)
    return found


def is_plain(clause: Clause) -> bool:
    """Whether the verdict depends on the truth of `atoms(clause)` alone."""
    if isinstance(clause, Leaf):
        return True
    if isinstance(clause, All | Any):
        return all(map(is_plain, clause.nested))
    if isinstance(clause, Not):
        return is_plain(clause.nested)
    return getattr(clause, "atoms", None) is not None


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
        yield from getattr(clause, "atoms", None) or ()
