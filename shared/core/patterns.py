"""Patterns for `source` and `type` values: a text in which `*` stands for any run of characters."""

from collections.abc import Sequence


def matches(pattern: str, value: str) -> bool:
    """Whether `value` fits `pattern`. Linear in both: pieces between stars are found from the left."""
    pieces = pattern.split("*")
    if len(pieces) == 1:
        return pattern == value
    first, last = pieces[0], pieces[-1]
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    position, end = len(first), len(value) - len(last)
    for piece in pieces[1:-1]:
        found = value.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def matches_any(patterns: Sequence[str], value: str) -> bool:
    """Whether `value` fits one of `patterns`; no patterns at all allow every value."""
    return not patterns or any(matches(pattern, value) for pattern in patterns)
