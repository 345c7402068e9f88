"""What the tree of a CEL expression tells: the attributes and data it looks at, and what it implies."""

from collections.abc import Collection, Iterator
from typing import Any as Json

from shared.core.filters.cel_tree import Call, Const, Ident, Literal, Loop, Node, Select, walk
from shared.core.filters.clauses import All, Any, Clause, Leaf
from shared.core.filters.verdict import shown

_TESTS = {"startsWith": "prefix", "endsWith": "suffix"}
Path = tuple[str, ...]


def names_in(tree: Node, bare: Collection[str], type_name: str) -> frozenset[str] | None:
    """The attributes an expression looks at; None when that depends on the event."""
    if _shadows(tree, {"event", *bare}):
        return None
    names: set[str] = set()
    events = 0
    for node in walk(tree):
        if isinstance(node, Ident):
            events += node.name == "event"
        if (name := _attribute(node, bare, type_name)) is not None:
            names.add(name)
            events -= not isinstance(node, Ident)
    return None if events else frozenset(names)


def data_paths(tree: Node) -> tuple[Path, ...]:
    """The members of `data` that are named in full, such as ("order", "total"), outside of loops."""
    if _shadows(tree, {"data"}):
        return ()
    return tuple(dict.fromkeys(_paths(tree)))


def show_path(path: Path, value: Json) -> str:
    """What `value` has at `path`."""
    name = ".".join(("data", *path))
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return f"{name} is missing"
        value = value[step]
    if isinstance(value, dict | list):
        return f"{name} is {'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, bytes):
        return f"{name} is {len(value)} bytes"
    if value is None or isinstance(value, bool):
        return f"{name} is {'null' if value is None else str(value).lower()}"
    return f"{name} is {shown(str(value))}"


def implied(tree: Node, bare: Collection[str], type_name: str) -> Clause | None:
    """A clause on attributes that holds for every event that the expression is true of.

    In CEL an error beside a false operand of `&&` is false, and beside a true one an error: so each side of
    an `&&` that is true is true, whatever the order.
    """
    if _shadows(tree, {"event", *bare}):
        return None
    return _implied(tree, bare, type_name)


def _implied(node: Node, bare: Collection[str], type_name: str) -> Clause | None:
    if not isinstance(node, Call) or len(node.arguments) != 2:
        return None
    left, right = node.arguments
    if node.function == "_&&_":
        both = [c for side in (left, right) if (c := _implied(side, bare, type_name)) is not None]
        return All(both) if both else None
    if node.function == "_||_":
        one, other = _implied(left, bare, type_name), _implied(right, bare, type_name)
        return None if one is None or other is None else Any([one, other], {})
    if node.function == "_==_":
        for side, wanted in ((left, right), (right, left)):
            if (leaf := _leaf("exact", side, wanted, bare, type_name)) is not None:
                return leaf
        return None
    if node.function in _TESTS:
        return _leaf(_TESTS[node.function], left, right, bare, type_name)
    if node.function == "@in" and isinstance(right, Literal) and right.parts:
        leaves = [_leaf("exact", left, part, bare, type_name) for part in right.parts]
        known = [leaf for leaf in leaves if leaf is not None]
        return Any(known, {}) if len(known) == len(leaves) else None
    return None


def _leaf(dialect: str, side: Node, wanted: Node, bare: Collection[str], type_name: str) -> Leaf | None:
    name = _attribute(side, bare, type_name)
    if name is None or not isinstance(wanted, Const) or not wanted.text:
        return None
    return Leaf(dialect, {name: wanted.text}, {})


def _attribute(node: Node, bare: Collection[str], type_name: str) -> str | None:
    """The attribute that `node` is: `type`, `event.type` or `event["type"]`."""
    if isinstance(node, Ident):
        return "type" if node.name == type_name else node.name if node.name in bare else None
    if isinstance(node, Select):
        return node.field if node.operand == Ident("event") else None
    if isinstance(node, Call) and node.function == "_[_]" and node.arguments[0] == Ident("event"):
        key = node.arguments[1]
        return key.text if isinstance(key, Const) else None
    return None


def _shadows(tree: Node, names: Collection[str]) -> bool:
    """Whether a loop gives one of `names` a meaning of its own."""
    return any(isinstance(node, Loop) and node.variable in names for node in walk(tree))


def _paths(node: Node) -> Iterator[Path]:
    path: list[str] = []
    inner = node
    while isinstance(inner, Select):
        path.append(inner.field)
        inner = inner.operand
    if inner == Ident("data"):
        yield tuple(reversed(path))
    elif isinstance(inner, Call):
        for argument in inner.arguments:
            yield from _paths(argument)
    elif isinstance(inner, Literal):
        for part in inner.parts:
            yield from _paths(part)
    elif isinstance(inner, Loop):
        yield from _paths(inner.source)
