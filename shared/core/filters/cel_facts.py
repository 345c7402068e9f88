"""What the tree of a CEL expression tells of the attributes and data that it looks at."""

from collections.abc import Collection, Iterator
from typing import Any as Json

from shared.core.filters.cel_tree import Call, Const, Ident, Literal, Loop, Node, Select, walk
from shared.core.filters.verdict import shown

Path = tuple[str, ...]


def names_in(tree: Node, bare: Collection[str], type_name: str) -> frozenset[str] | None:
    """The attributes an expression looks at; None when that depends on the event."""
    if shadows(tree, {"event", *bare}):
        return None
    names: set[str] = set()
    events = 0
    for node in walk(tree):
        if isinstance(node, Ident):
            events += node.name == "event"
        if (name := attribute(node, bare, type_name)) is not None:
            names.add(name)
            events -= not isinstance(node, Ident)
    return None if events else frozenset(names)


def data_paths(tree: Node) -> tuple[Path, ...]:
    """The members of `data` that are named in full, such as ("order", "total"), outside of loops."""
    if shadows(tree, {"data"}):
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


def attribute(node: Node, bare: Collection[str], type_name: str) -> str | None:
    """The attribute that `node` is: `type`, `event.type` or `event["type"]`."""
    if isinstance(node, Ident):
        return "type" if node.name == type_name else node.name if node.name in bare else None
    if isinstance(node, Select):
        return node.field if node.operand == Ident("event") else None
    if isinstance(node, Call) and node.function == "_[_]" and node.arguments[0] == Ident("event"):
        key = node.arguments[1]
        return key.text if isinstance(key, Const) else None
    return None


def shadows(tree: Node, names: Collection[str]) -> bool:
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
