"""What holding data against a JSON Schema can cost at most, so that no schema holds up whoever uses it.

Subschemas that apply to the same value (`allOf`, `$ref`, …) and those that apply to what is in it (`properties`,
`items`, …) make a graph. What a subschema compares a value with one by one (`enum`, `dependentRequired`, …) counts as
so many subschemas. Along the data's levels a subschema may be reached in many ways: twofold at each of thirty
levels is a thousand million times. And each step is a frame of the stack.
"""

from collections.abc import Iterable
from typing import Any

from shared.core.pointers import write_pointer
from shared.core.schema_graph import Graph, Node, Unclear

MAX_LEVELS = 200
"""How deep data may be nested that is held against a schema."""

LEAST_LEVELS = 8
"""A schema whose costs are known to be bounded for fewer levels is refused."""

MAX_VISITS = 10_000
"""By how many subschemas one value may be looked at."""

MAX_STACK = 4_000
"""Subschemas within one another; the validator's stack ends at some 20,000."""

MAX_WORK = 100_000

_KNOWN_VISITS = 100
"""What a reference to a published meta-schema is taken to cost: they are recursive, but never twofold."""


def visits_by_level(schema: dict[str, Any]) -> list[int]:
    """By how many subschemas a value may be looked at, for each level of the data, the outermost first.

    The list ends where it would be more than MAX_VISITS, or more than MAX_STACK of them within one another.
    Raises Unclear for a schema that refers to itself on the same value, and for one that ends too early.
    """
    root, nodes = Graph(schema).build()
    order = _ordered(nodes)
    inner = sum(1 for node in order if node.here or node.below)
    most = max(LEAST_LEVELS, min(MAX_LEVELS, MAX_WORK // max(1, inner)))
    visits: list[int] = []
    before: list[tuple[int, int]] = []
    for level in range(most + 1):
        found = _level(order, level)
        if root.visits > MAX_VISITS or root.deep > MAX_STACK:
            break
        visits.append(root.visits)
        if found == before:
            return visits + visits[-1:] * (MAX_LEVELS - level)
        before = found
    if len(visits) <= LEAST_LEVELS:
        raise Unclear(
            "", "its references fan out too far, or it lists too much: a value would be looked at too often"
        )
    return visits


def _level(order: "list[Node]", level: int) -> list[tuple[int, int]]:
    """Go one level further down; in `order` each node comes after those that apply to the same value."""
    below = [
        (
            max((sum(n.visits for n in group) for group in node.below), default=0),
            max((n.deep for group in node.below for n in group), default=0),
        )
        for node in order
    ]
    found = []
    for node, (more, deeper) in zip(order, below, strict=True):
        if node.known:
            own = _KNOWN_VISITS
        elif level == 0:
            own = len(node.here) if node.one else node.own
        elif level == 1 and node.factor > 1:
            own = more + node.visits
        else:
            own = more
        here = [n.visits for n in node.here]
        node.visits = min(1 << 60, own + node.factor * (max(here, default=0) if node.one else sum(here)))
        node.deep = 1 + max(deeper if level else 0, max((n.deep for n in node.here), default=0))
        found.append((node.visits, node.deep))
    return found


def _ordered(nodes: "Iterable[Node]") -> "list[Node]":
    """Each node after those that apply to the same value. Raises Unclear where there is no such order."""
    done: dict[int, bool] = {}
    order: list[Node] = []
    for first in nodes:
        stack = [(first, iter(first.here))]
        if done.setdefault(id(first), False):
            continue
        while stack:
            node, left = stack[-1]
            following = next(left, None)
            if following is None:
                stack.pop()
                if not done[id(node)]:
                    done[id(node)] = True
                    order.append(node)
            elif id(following) not in done:
                done[id(following)] = False
                stack.append((following, iter(following.here)))
            elif not done[id(following)]:
                raise Unclear(
                    write_pointer(following.path),
                    "refers to itself without going into the data: it has no end",
                )
    return order
