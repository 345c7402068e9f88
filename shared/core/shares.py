"""How what there is is shared evenly: among workers by moving as little as can be, among those who want some. Pure."""

from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")


def divide(wanted: Mapping[K, int], total: int) -> dict[K, int]:
    """How much of `total` each gets: what it wants, or where that is too much, no less than any other gets.

    What is left over of even parts goes one by one to those who come first. Those who get nothing are left out.
    """
    left, behind = total, len(wanted)
    part = total
    for want in sorted(wanted.values()):
        part = left // behind
        if want > part:
            break
        left -= want
        behind -= 1
    over = left - part * behind if behind else 0
    given: dict[K, int] = {}
    for key, want in wanted.items():
        count = min(want, part)
        if want > part and over:
            count, over = count + 1, over - 1
        if count:
            given[key] = count
    return given


def targets(held: Mapping[str, int]) -> dict[str, int]:
    """How many of all that is held each worker should hold: shares differ by one at most.

    Who holds most keeps the one more, so that nothing moves to and fro. Everybody who sees the same numbers
    comes to the same answer.
    """
    if not held:
        return {}
    each, left = divmod(sum(held.values()), len(held))
    order = sorted(held, key=lambda name: (-held[name], name))
    return {name: each + (place < left) for place, name in enumerate(order)}


def moves(held: Mapping[str, int], mine: str) -> dict[str, int]:
    """How many `mine` gives away, and to whom, for every worker to come to its target."""
    wanted = targets(held)
    lack = {name: wanted[name] - held[name] for name in sorted(held) if held[name] < wanted[name]}
    given: dict[str, int] = {}
    for giver in sorted(held):
        spare = held[giver] - wanted[giver]
        for name in list(lack):
            if spare <= 0:
                break
            count = min(spare, lack[name])
            spare -= count
            lack[name] -= count
            if not lack[name]:
                del lack[name]
            if giver == mine:
                given[name] = count
    return given
