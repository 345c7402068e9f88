"""Durations counted by classes: four to each doubling, from a tenth of a millisecond on.

So a percentile is off by at most an eleventh of itself, whatever its size, and classes of different minutes add up.
"""

from collections.abc import Mapping

SMALLEST_US = 100
"""Whatever took less is of class 0."""

PER_DOUBLING = 4

CLASS_OF = f"floor(ln(greatest({{}}, {SMALLEST_US})::float8 / {SMALLEST_US}) / ln(2::float8) * {PER_DOUBLING})::smallint"
"""The class of a number of microseconds, in SQL; `{}` is where that goes."""


def class_of(duration_us: float) -> int:
    """The class of a duration in microseconds."""
    from math import floor, log2

    return floor(log2(max(duration_us, SMALLEST_US) / SMALLEST_US) * PER_DOUBLING)


def middle_ms(number: int) -> float:
    """The duration that stands for a class, in milliseconds."""
    return SMALLEST_US / 1000 * 2 ** ((number + 0.5) / PER_DOUBLING)


def percentile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The duration, in milliseconds, that `share` (0 to 1) of what was counted stayed within; None without any."""
    total = sum(counts.values())
    if not total:
        return None
    reached = 0
    for number in sorted(counts):
        reached += counts[number]
        if reached >= share * total:
            return middle_ms(number)
    return None
