"""Two documents differ at pointers."""

from typing import Any

import pytest

from shared.core.differences import DEPTH, differences
from shared.core.pointers import MISSING

CASES: list[tuple[Any, Any, list[tuple[str, Any, Any]]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, [("/a", 1, 2)]),
    (1, 1.0, []),
    ({"a": 1}, {"a": True}, [("/a", 1, True)]),
    ({"a": None}, {}, [("/a", None, MISSING)]),
    ({}, {"a/b": {"c~": 1}}, [("/a~1b", MISSING, {"c~": 1})]),
    ({"a": [1, {"b": 2}, 3]}, {"a": [1, {"b": 4}]}, [("/a/1/b", 2, 4), ("/a/2", 3, MISSING)]),
    ({"a": {"b": 1}}, {"a": [1]}, [("/a", {"b": 1}, [1])]),
    ("x", "y", [("", "x", "y")]),
]


@pytest.mark.parametrize(("left", "right", "found"), CASES)
def test_where_documents_differ(left: Any, right: Any, found: list[tuple[str, Any, Any]]) -> None:
    assert [(d.pointer, d.left, d.right) for d in differences(left, right)] == found


def test_what_is_deep_is_compared_as_a_whole() -> None:
    left: Any = 1
    right: Any = 2
    for _ in range(DEPTH + 50):
        left, right = {"a": left}, {"a": right}
    (found,) = differences(left, right)
    assert found.pointer == "/a" * DEPTH
