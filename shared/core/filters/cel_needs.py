"""What every event has that a CEL expression is true of, read from its tree.

Only what is surely understood is read; of the rest nothing is said, so that the library decides. In CEL an
error beside a false operand of `&&` is false and beside a true one of `||` true, whatever the order: so both are true
when and only when both sides, or one side, are.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from shared.core.filters.cel_facts import attribute, shadows
from shared.core.filters.cel_terms import SURE, Member, Own, Size
from shared.core.filters.cel_tree import UNKNOWN, Call, Const, Ident, Literal, Node, Select
from shared.core.filters.need import Need, Needs, all_of, any_of, exactly
from shared.core.filters.terms import Comparison, Kind, Term, key_of, the_one

_ORDER: dict[str, Kind] = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_MIRRORED: dict[Kind, Kind] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_AFFIXES: dict[str, Kind] = {"startsWith": "prefix", "endsWith": "suffix"}
_SIZE = Size()
_EVERY = Comparison(_SIZE, "there")


def needs_of(
    tree: Node, bare: Collection[str], type_name: str, most: int | None, *, uses_data: bool
) -> Needs | None:
    """Alternatives for an expression; with more than `most` bytes of data, it is an error."""
    if shadows(tree, {"event", "data", *bare}):
        return None
    found = _Reader(bare, type_name).true(tree)
    if found is None or not uses_data:
        return found
    limit = _EVERY if most is None else Comparison(_SIZE, "<=", most)
    return Needs(tuple(_readable(need, limit) for need in found.alternatives), found.complete)


def _readable(need: Need, limit: Comparison) -> Need:
    """The data is read before anything else, and when that fails, so does all."""
    if limit is _EVERY and any(isinstance(found.term, Member) for found in need.comparisons):
        return need
    return need | Need(comparisons=frozenset({limit}))


@dataclass(frozen=True, slots=True)
class _Reader:
    bare: Collection[str]
    type_name: str

    def true(self, node: Node) -> Needs | None:
        """What holds when a node is true."""
        if isinstance(node, Call):
            if node.function == "_&&_":
                return all_of(map(self.true, node.arguments))
            if node.function == "_||_":
                return any_of(map(self.true, node.arguments))
            if node.function == "!_":
                return self.false(node.arguments[0])
            if (found := self._attribute(node)) is not None:
                return found
        return _needed(self._comparison(node))

    def false(self, node: Node) -> Needs | None:
        """What holds when a node is false, which is not when it is an error."""
        if isinstance(node, Call):
            if node.function == "_&&_":
                return any_of(map(self.false, node.arguments))
            if node.function == "_||_":
                return all_of(map(self.false, node.arguments))
            if node.function == "!_":
                return self.true(node.arguments[0])
        if (term := self._term(node)) is not None:
            return _needed(Comparison(term, "in", _FALSE))
        found = self._comparison(node)
        return None if found is None else _needed(found.opposite())

    def _attribute(self, node: Call) -> Needs | None:
        """Attributes that are, begin or end with a text: what is looked up first."""
        if len(node.arguments) != 2:
            return None
        left, right = node.arguments
        if node.function == "_==_":
            return self._text("exact", left, right) or self._text("exact", right, left)
        if node.function in _AFFIXES:
            return self._text(_AFFIXES[node.function], left, right)
        if node.function == "@in" and isinstance(right, Literal) and right.is_list and right.parts:
            return any_of(self._text("exact", left, part) for part in right.parts)
        return None

    def _text(self, dialect: str, side: Node, wanted: Node) -> Needs | None:
        name = self._name(side)
        if name is None or not isinstance(wanted, Const) or not wanted.text:
            return None
        return exactly(Need(frozenset({(name, dialect, wanted.text)}), frozenset({name})))

    def _comparison(self, node: Node) -> Comparison | None:
        """The comparison that a node is, true where it holds and false where its opposite does."""
        if isinstance(node, Select) and node.test:
            term = self._term(Select(node.operand, node.field, test=False))
            return None if term is None else Comparison(term, "there")
        if isinstance(node, Call) and len(node.arguments) == 2 and node.function != "_[_]":
            return self._call(node.function, *node.arguments)
        return self._of(node, lambda term: Comparison(term, "in", _TRUE))

    def _call(self, function: str, left: Node, right: Node) -> Comparison | None:
        if function in {"_==_", "_!=_"}:
            value = _constant(right)
            side = left
            if value is UNKNOWN:
                value, side = _constant(left), right
            if value is UNKNOWN:
                return None
            wanted = frozenset({key_of(value)})
            return self._of(side, lambda term: Comparison(term, "in", wanted, function == "_!=_"))
        if function in _ORDER:
            kind, side, bound = _ORDER[function], left, _constant(right)
            if bound is UNKNOWN:
                kind, side, bound = _MIRRORED[kind], right, _constant(left)
            if type(bound) not in {int, float}:
                return None
            return self._of(side, lambda term: Comparison(term, kind, bound))
        if function == "@in" and isinstance(right, Literal) and right.is_list and right.parts:
            values = [_constant(part) for part in right.parts]
            if UNKNOWN in values:
                return None
            keys = frozenset(map(key_of, values))
            return self._of(left, lambda term: Comparison(term, "in", keys))
        if function in _AFFIXES and isinstance(right, Const) and right.text is not None:
            return self._of(left, lambda term: Comparison(term, _AFFIXES[function], right.text))
        return None

    def _of(self, node: Node, make: Callable[[Term], Comparison]) -> Comparison | None:
        term = self._term(node)
        return None if term is None else make(term)

    def _name(self, node: Node) -> str | None:
        """The attribute whose value a node is."""
        asks = isinstance(node, Select) and node.test
        return None if asks else attribute(node, self.bare, self.type_name)

    def _term(self, node: Node) -> Term | None:
        if node == Ident(self.type_name):
            # Its variable is always there.
            return the_one((Own, self.type_name), lambda: Own("type", None))
        if (name := self._name(node)) is not None:
            return the_one((Own, name), lambda: Own(name))
        path: list[str] = []
        while node != Ident("data"):
            if isinstance(node, Select) and not node.test:
                path.append(node.field)
                node = node.operand
            elif isinstance(node, Call) and node.function == "_[_]" and isinstance(node.arguments[1], Const):
                step = node.arguments[1].text
                if step is None:
                    return None
                path.append(step)
                node = node.arguments[0]
            else:
                return None
        steps = tuple(reversed(path))
        return the_one((Member, steps), lambda: Member(steps))


_TRUE = frozenset({key_of(True)})
_FALSE = frozenset({key_of(False)})


def _needed(comparison: Comparison | None) -> Needs | None:
    return None if comparison is None else exactly(Need(comparisons=frozenset({comparison})))


def _constant(node: Node) -> Any:
    """A literal's value, UNKNOWN when it is none that compares as its Python value does."""
    if not isinstance(node, Const):
        return UNKNOWN
    value = node.value
    if type(value) in {int, float} and not -SURE <= value <= SURE:
        return UNKNOWN
    return value
