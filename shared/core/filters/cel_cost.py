"""What a CEL expression may cost: decided from its tree and the size of the data, never by a clock.

The library itself stops after 10,000 steps of all loops together and refuses expressions nested more than 32
deep. That bounds neither the texts that each step looks through nor what a `map` builds, so this counts both.
A verdict depends on the expression and the event alone: the same on every machine, in delivery and in explain.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.filters.cel_tree import Call, Const, Ident, Literal, Loop, Node, Select
from shared.core.filters.data import EventData

MAX_LOOPS = 8
MAX_NESTED = 3
"""Loops (`all`, `exists`, `exists_one`, `filter`, `map`) in one expression, and inside each other."""

MAX_BUILDS = 16
"""Places that put a text, list or map together."""

STEPS = 10_000
"""The library's own limit of steps of all loops of an evaluation."""

MAX_COST = 16 * 1024 * 1024
"""Bytes that an evaluation may look at, in the worst case: some 25 ms."""

_COMPARED = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith"})
"""These stop at the end of the shorter operand."""

_READ = frozenset({"size", "contains", "matches", "_+_", "@in", "string", "bytes", "int", "uint", "double"})
"""These read their operands whole."""

_WHOLE = frozenset({"string", "bytes", "dyn"})
"""What these give may be as large as their operand; what other functions give has a fixed size."""

_ACCUMULATOR = "@result"
_NODE_COST = 8
_UNKNOWN_NEEDLE = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes looked at, as a function of the data: `once` times its size, `nested` times that and the steps.

    `in_loops` are the nodes that are evaluated at each step.
    """

    once: int
    nested: int
    in_loops: int
    depth: int

    @property
    def most_bytes(self) -> int | None:
        """The most data that an expression without loops may be asked about; None is any."""
        return MAX_COST // self.once if self.once else None

    def of(self, data: EventData) -> int:
        """The worst case for this data."""
        size = data.size
        if not self.in_loops:
            return self.once * size
        steps: int = min(STEPS, data.elements ** max(1, self.depth))
        return self.once * size + self.nested * size * steps + self.in_loops * steps * _NODE_COST


@dataclass(frozen=True, slots=True)
class _Value:
    """What is known of a value: `chain` are the loops whose variable it comes from.

    `made` is put together by this expression, `built` comes out of a `map` that did so for each element.
    """

    chain: frozenset[int] = frozenset()
    constant: bool = False
    made: bool = False
    built: bool = False


_CONSTANT = _Value(constant=True)


def cost_of(tree: Node) -> Cost:
    """The cost of an expression. Raises ValueError when it could grow without a useful bound."""
    meter = _Meter()
    meter.visit(tree, {}, frozenset())
    if meter.loops > MAX_LOOPS:
        raise ValueError(f"has more than {MAX_LOOPS} loops such as `exists` and `map`")
    if meter.depth > MAX_NESTED:
        raise ValueError(f"has loops more than {MAX_NESTED} inside each other")
    if meter.builds > MAX_BUILDS:
        raise ValueError(f"puts texts, lists or maps together in more than {MAX_BUILDS} places")
    return Cost(meter.once, meter.nested, meter.in_loops, meter.depth)


class _Meter:
    def __init__(self) -> None:
        self.loops = 0
        self.depth = 0
        self.builds = 0
        self.once = 0
        self.nested = 0
        self.in_loops = 0

    def visit(self, node: Node, scope: Mapping[str, _Value], inside: frozenset[int]) -> _Value:
        self.in_loops += bool(inside)
        if isinstance(node, Const):
            return _CONSTANT
        if isinstance(node, Ident):
            return scope.get(node.name, _Value())
        if isinstance(node, Select):
            return self.visit(node.operand, scope, inside)
        if isinstance(node, Literal):
            return self._literal(node, scope, inside)
        if isinstance(node, Call):
            return self._call(node, scope, inside)
        return self._loop(node, scope, inside)

    def _literal(self, node: Literal, scope: Mapping[str, _Value], inside: frozenset[int]) -> _Value:
        return self._built(_merged([self.visit(part, scope, inside) for part in node.parts]))

    def _call(self, node: Call, scope: Mapping[str, _Value], inside: frozenset[int]) -> _Value:
        if node.function == "_+_" and node.arguments[0] == Ident(_ACCUMULATOR):
            return self._collected(node.arguments[1], scope, inside)
        operands = [self.visit(argument, scope, inside) for argument in node.arguments]
        if node.function == "_+_":
            merged = _merged(operands)
            if not merged.constant:
                self._charge(merged, inside, 1)
            return self._built(merged)
        if node.function in _COMPARED:
            if not any(operand.constant for operand in operands):
                least = min(operands, key=lambda v: (v.built, len(inside - v.chain)))
                self._charge(least, inside, 1)
            return _CONSTANT
        if node.function in _READ:
            weight = _weight(node)
            for operand in operands:
                if not operand.constant:
                    self._charge(operand, inside, weight)
        if node.function == "_[_]":
            return operands[0]
        if node.function == "_?_:_":
            return _merged(operands[1:])
        return _merged(operands) if node.function in _WHOLE else _CONSTANT

    def _collected(self, node: Node, scope: Mapping[str, _Value], inside: frozenset[int]) -> _Value:
        """What a `map` or `filter` adds to its list at each step."""
        if isinstance(node, Literal) and len(node.parts) == 1:
            return self.visit(node.parts[0], scope, inside)
        return self.visit(node, scope, inside)

    def _loop(self, node: Loop, scope: Mapping[str, _Value], inside: frozenset[int]) -> _Value:
        self.loops += 1
        number = self.loops
        source = self.visit(node.source, scope, inside)
        self.visit(node.start, scope, inside)
        within = inside | {number}
        self.depth = max(self.depth, len(within))
        variable = _Value(source.chain | {number}, constant=source.constant, built=source.built)
        inner = {**scope, node.variable: variable, node.accumulator: _CONSTANT}
        self.visit(node.condition, inner, within)
        step = self.visit(node.step, inner, within)
        self.visit(node.result, {**scope, node.accumulator: _CONSTANT}, inside)
        if step.constant:
            return _CONSTANT
        built = source.built or step.built or step.made
        return _Value(source.chain & (step.chain | {number}), made=step.made, built=built)

    def _built(self, value: _Value) -> _Value:
        if value.constant:
            return value
        self.builds += 1
        if value.built:
            raise ValueError("builds on what a `map` has built: say it without that")
        return _Value(value.chain, made=True)

    def _charge(self, operand: _Value, inside: frozenset[int], weight: int) -> None:
        if operand.built:
            self.nested += weight * MAX_BUILDS
        elif inside - operand.chain:
            self.nested += weight
        else:
            self.once += weight


def _merged(values: list[_Value]) -> _Value:
    real = [value for value in values if not value.constant]
    if not real:
        return _CONSTANT
    chain = frozenset.intersection(*(value.chain for value in real))
    return _Value(chain, made=any(value.made for value in real), built=any(value.built for value in real))


def _weight(node: Call) -> int:
    """How often each byte may be looked at. Raises ValueError where that cannot be told."""
    last = node.arguments[-1]
    length = len(last.text or "") if isinstance(last, Const) else None
    if node.function == "contains":
        return _UNKNOWN_NEEDLE if length is None else 1 + length // 4
    if node.function == "matches":
        if length is None:
            raise ValueError("the pattern of `matches` must be a text in quotes")
        return 4 + length // 4
    return 1
