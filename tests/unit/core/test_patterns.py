"""Patterns of the `source` and `type` values that a key may use."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.patterns import matches, matches_any

pieces = st.text(alphabet="ab*", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("/shop", "/shop", True),
        ("/shop", "/shop/1", False),
        ("/shop/*", "/shop/1/2", True),
        ("*.created", "order.created", True),
        ("a*b*c", "a-b-b-c", True),
        ("ab*bc", "abc", False),
        ("*", "", True),
        ("", "", True),
    ],
)
def test_patterns(pattern: str, value: str, expected: bool) -> None:
    assert matches(pattern, value) is expected


@given(pieces, st.text(alphabet="ab", max_size=12))
def test_patterns_are_what_a_regular_expression_would_say(pattern: str, value: str) -> None:
    expression = ".*".join(re.escape(piece) for piece in pattern.split("*"))
    assert matches(pattern, value) == (re.fullmatch(expression, value) is not None)


def test_no_patterns_allow_everything() -> None:
    assert matches_any((), "anything")
    assert not matches_any(("a", "b*"), "c")
