"""The subschemas of a JSON Schema and how they lead to one another: which apply to one value, which to what is in it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from shared.core.pointers import MISSING, InvalidPointer, find, read_pointer, write_pointer
from shared.core.problems import Fault

_SINGLE = ("not", "if", "then", "else")
_MAPS = ("dependentSchemas", "dependencies")
_OTHERS = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_ITEMS = ("items", "additionalItems", "unevaluatedItems", "contains")
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
_KNOWN = ("https://json-schema.org/", "http://json-schema.org/")

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
_DATA = ("const", "enum", "examples", "default")
_SAID = frozenset({"const", "enum", "type", "title", "description"})


class Unclear(Exception):
    """A schema whose ways cannot be followed, or have no bound; `fault` says where and why."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(pointer, detail)


class Node:
    """One subschema: what applies to the same value, and by the kind of place what applies below."""

    __slots__ = ("below", "deep", "factor", "here", "known", "one", "own", "path", "visits")

    def __init__(self, path: tuple[str | int, ...]) -> None:
        self.path = path
        self.here: list[Node] = []
        self.below: list[list[Node]] = []
        """Groups of which a single value below is reached by one alone; all of a group may apply to it."""
        self.own = 1
        """What it holds against a value itself."""
        self.factor = 1
        """2 where it also asks of each value below which of `here` knows it."""
        self.one = False
        """Of `here` one alone goes beyond its first look at a value."""
        self.known = False
        self.visits = 0
        self.deep = 0


class Graph:
    """From a schema to its nodes."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._draft = schema.get("$schema")
        self._resources: dict[str, tuple[dict[str, Any], tuple[str | int, ...]]] = {}
        self._dynamic: dict[str, list[tuple[dict[str, Any], tuple[str | int, ...]]]] = {}
        self._bases: dict[int, str] = {}
        self._nodes: dict[int, Node] = {}
        self._eithers: list[Node] = []
        self._unread: list[tuple[dict[str, Any], Node]] = []
        self._scan(schema)

    def build(self) -> tuple[Node, list[Node]]:
        """The node of the whole, and all of them."""
        root = self._node(self._schema, ())
        while self._unread:
            self._read(*self._unread.pop())
        return root, [*self._nodes.values(), *self._eithers]

    def _scan(self, schema: dict[str, Any]) -> None:
        """Note every name that a reference can use."""
        self._register("", schema, ())
        stack: list[tuple[Any, tuple[str | int, ...], str, bool]] = [(schema, (), "", False)]
        while stack:
            value, path, base, has_names = stack.pop()
            if isinstance(value, list):
                stack.extend((inner, (*path, index), base, False) for index, inner in enumerate(value))
            elif isinstance(value, dict) and has_names:
                stack.extend((inner, (*path, name), base, False) for name, inner in value.items())
            elif isinstance(value, dict):
                base = self._named(value, path, base)
                stack.extend(
                    (inner, (*path, key), base, key in _NAMED)
                    for key, inner in value.items()
                    if key not in _DATA
                )

    def _named(self, value: dict[str, Any], path: tuple[str | int, ...], base: str) -> str:
        """Note the names of one subschema; the base of the references in it."""
        if value.get("$schema", self._draft) != self._draft:
            raise Unclear(write_pointer((*path, "$schema")), "must be the same as that of the whole schema")
        identity = value.get("$id")
        if isinstance(identity, str):
            if identity.startswith("#"):  # draft 7 names places so
                self._register(base + identity, value, path)
            else:
                base = urldefrag(urljoin(base, identity)).url
                self._register(base, value, path)
        self._bases[id(value)] = base
        for key in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := value.get(key), str):
                self._register(f"{base}#{name}", value, path)
                if key == "$dynamicAnchor":
                    self._dynamic.setdefault(name, []).append((value, path))
        return base

    def _register(self, uri: str, value: dict[str, Any], path: tuple[str | int, ...]) -> None:
        there = self._resources.setdefault(uri, (value, path))
        if there[0] is not value:
            raise Unclear(write_pointer(path), f"{uri or 'this place'} is the name of another place as well")

    def _node(self, value: Any, path: tuple[str | int, ...]) -> Node:
        if not isinstance(value, dict):
            return Node(path)
        node = self._nodes.get(id(value))
        if node is None:
            node = self._nodes[id(value)] = Node(path)
            self._unread.append((value, node))
        return node

    def _read(self, value: dict[str, Any], node: Node) -> None:
        path = node.path
        node.here = [self._node(inner, where) for inner, where in _here(value, path)]
        for key in ("anyOf", "oneOf"):
            if isinstance(inner := value.get(key), list):
                branches = [self._node(one, (*path, key, index)) for index, one in enumerate(inner)]
                node.here += [self._either(branches, path)] if self._differ(inner) else branches
        for key in ("$ref", "$dynamicRef"):
            if isinstance(reference := value.get(key), str):
                node.here += self._targets(key, reference, self._bases.get(id(value)), (*path, key), node)
        if any(key in value for key in _UNEVALUATED):
            node.factor = 2
        node.own = _own(value)
        node.below = [
            [self._node(inner, where) for inner, where in group] for group in _below(value, path) if group
        ]

    def _either(self, nodes: list[Node], path: tuple[str | int, ...]) -> Node:
        """A place where one of these applies, or goes beyond a first look."""
        node = Node(path)
        node.here, node.one = nodes, True
        self._eithers.append(node)
        return node

    def _differ(self, branches: list[Any]) -> bool:
        """Whether a value can fit one of these alone, as their `const` of one required member says.

        The validator looks at such a member before the others.
        """
        values: dict[str, list[Any]] = {}
        for branch in branches:
            value = branch
            for _ in range(3):
                if not isinstance(value, dict) or not isinstance(reference := value.get("$ref"), str):
                    break
                found = self._place(reference, self._bases.get(id(value), ""))
                value = None if found is None else found[0]
            if not isinstance(value, dict) or not isinstance(named := value.get("properties"), dict):
                return False
            required = value.get("required")
            for name, said in named.items():
                if not isinstance(required, list) or name not in required or not isinstance(said, dict):
                    continue
                if said.keys() <= _SAID and isinstance(said.get("const"), str):
                    values.setdefault(name, []).append(said["const"])
        return any(len(found) == len(branches) == len(set(found)) for found in values.values())

    def _place(self, reference: str, base: str) -> "_Placed | None":
        """What a reference names in this schema."""
        uri, fragment = urldefrag(base + reference if reference.startswith("#") else urljoin(base, reference))
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            return self._resources.get(f"{uri}#{fragment}")
        resource = self._resources.get(uri)
        return None if resource is None else _within(resource, fragment)

    def _targets(
        self, key: str, reference: str, base: str | None, path: tuple[str | int, ...], node: Node
    ) -> list[Node]:
        fragment = unquote(urldefrag(reference).fragment)
        if key == "$dynamicRef" and fragment in self._dynamic:
            candidates = [self._node(value, where) for value, where in self._dynamic[fragment]]
            return candidates if len(candidates) == 1 else [self._either(candidates, path)]
        found = None if base is None else self._place(reference, base)
        if base is not None and found is None and urljoin(base, reference).startswith(_KNOWN):
            node.known = True
            return []
        if found is None:
            raise Unclear(write_pointer(path), f"{reference} is not a place in this schema as it is written")
        return [self._node(*found)]


def _within(
    resource: tuple[dict[str, Any], tuple[str | int, ...]], fragment: str
) -> tuple[Any, tuple[str | int, ...]] | None:
    try:
        parts = read_pointer(fragment)
    except InvalidPointer:
        return None
    value = find(parts, resource[0])
    return None if value is MISSING else (value, (*resource[1], *parts))


_Placed = tuple[Any, tuple[str | int, ...]]


def _own(value: dict[str, Any]) -> int:
    """With how much one value is compared: the validator goes through these one by one, but looks texts up."""
    own = 1 + _size(value.get("const"))
    if isinstance(inner := value.get("dependentRequired"), dict):
        own += len(inner)
    if isinstance(choices := value.get("enum"), list) and not all(isinstance(one, str) for one in choices):
        own += _size(choices)
    return own


def _size(data: Any) -> int:
    """How many values are in `data`, at whatever depth."""
    stack, size = [data], 0
    while stack:
        data = stack.pop()
        inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        size += len(inner)
        stack.extend(inner)
    return size


def _here(value: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[_Placed]:
    if isinstance(inner := value.get("allOf"), list):
        yield from ((one, (*path, "allOf", index)) for index, one in enumerate(inner))
    for key in _SINGLE:
        if key in value:
            yield value[key], (*path, key)
    for key in _MAPS:
        if isinstance(inner := value.get(key), dict):
            yield from ((one, (*path, key, name)) for name, one in inner.items())


def _below(value: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[list[_Placed]]:
    """What may apply to one value below: a group for each property, one for all others, one for elements."""
    always: list[_Placed] = []
    if isinstance(patterns := value.get("patternProperties"), dict):
        always += [(one, (*path, "patternProperties", name)) for name, one in patterns.items()]
    always += [(value[key], (*path, key)) for key in _OTHERS if key in value]
    yield always
    if isinstance(named := value.get("properties"), dict):
        for name, one in named.items():
            yield [(one, (*path, "properties", name)), *always]
    elements = [(value[key], (*path, key)) for key in _ITEMS if isinstance(value.get(key), dict)]
    yield elements
    for key in ("prefixItems", "items"):
        if isinstance(inner := value.get(key), list):
            for index, one in enumerate(inner):
                yield [(one, (*path, key, index)), *elements]
