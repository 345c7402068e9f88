"""What an expression may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep every expression cheap to parse and to evaluate, whoever wrote it. Past one, ParseError."""

    length: int = 8_192
    """Characters of an expression."""
    depth: int = 64
    """How deep operators, parentheses and calls lie within one another. A chain of one logic operator is one level."""
    nodes: int = 2_000
    """Operators, calls, literals and names."""
    searched: int = 1_024
    """Characters in all those parts of LIKE patterns that have `_` and stand between two `%`."""


TEXT = 65_536
"""Characters of a String that is searched by LIKE, given to a function, or made by one. Past it, evaluation fails."""


DEFAULT = Limits()
