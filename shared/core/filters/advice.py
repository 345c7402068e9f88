"""What should be said of a filter that can be used, but may not mean what was meant."""

from collections.abc import Iterator
from typing import Any


def warnings(filters: Any, pointer: str = "/filters") -> Iterator[tuple[str, str]]:
    """Pointers and texts, for a `filters` array that compiles."""
    for index, clause in enumerate(filters or ()):
        yield from _of_clause(clause, f"{pointer}/{index}")


def _of_clause(clause: dict[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    for dialect, body in clause.items():
        at = f"{pointer}/{dialect}"
        if dialect in {"all", "any"}:
            yield from warnings(body, at)
        elif dialect == "not":
            yield from _of_clause(body, at)
        elif dialect in {"sql", "cesql"}:
            from shared.core.filters.sql import doubts

            yield from ((at, text) for text in doubts(body))
