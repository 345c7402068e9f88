"""Which function answers a path: what the edge does with the declared routes."""

from collections.abc import Iterable

from shared.runtime.function import Function


class Node:
    """One segment of the declared routes."""

    __slots__ = ("any", "children", "function")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.any: Node | None = None
        self.function: Function | None = None


class Routes:
    """Finds the most specific template for a path: a literal segment wins over one in braces."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._root = Node()
        for function in functions:
            for route in function.routes:
                self._add(route, function)

    def find(self, path: str) -> Function | None:
        """The function with the deepest template that covers `path`."""
        return _deepest(self._root, path.strip("/").split("/"), 0)[1]

    def _add(self, route: str, function: Function) -> None:
        node = self._root
        for segment in route.strip("/").split("/"):
            if segment.startswith("{"):
                node.any = node.any or Node()
                node = node.any
            else:
                node = node.children.setdefault(segment, Node())
        if node.function is not None:
            raise ValueError(f"{function.name} and {node.function.name} both declare {route}")
        node.function = function


def _deepest(node: Node, segments: list[str], depth: int) -> tuple[int, Function | None]:
    best: tuple[int, Function | None] = (depth, node.function) if node.function is not None else (-1, None)
    if depth == len(segments):
        return best
    literal = node.children.get(segments[depth])
    for child in (literal, node.any):
        if child is not None:
            found = _deepest(child, segments, depth + 1)
            if found[0] > best[0]:
                best = found
    return best
