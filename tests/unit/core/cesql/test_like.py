"""LIKE: what patterns match, and that nothing is tried twice."""

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.cesql.like import matcher, read
from tests.support.brief import brief


def naive(pattern: str, text: str) -> bool:
    """Section 3.4.3 to the letter, one character after the other."""

    @cache
    def rest(i: int, j: int) -> bool:
        if i == len(pattern):
            return j == len(text)
        if pattern[i] == "\\" and pattern[i + 1 : i + 2] in {"%", "_"}:
            return j < len(text) and text[j] == pattern[i + 1] and rest(i + 2, j + 1)
        if pattern[i] == "%":
            return rest(i + 1, j) or (j < len(text) and rest(i, j + 1))
        return j < len(text) and pattern[i] in {"_", text[j]} and rest(i + 1, j + 1)

    return rest(0, 0)


@settings(max_examples=1_000)
@given(st.text("ab%_\\", max_size=10), st.text("ab%_\\\n", max_size=14))
def test_patterns_match_what_the_specification_says(pattern: str, text: str) -> None:
    assert matcher(read(pattern))(text) is naive(pattern, text)


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "%", "_", "%%"]), max_size=8).map("".join),
    st.text("ab", max_size=9),
)
def test_patterns_match_short_texts(pattern: str, text: str) -> None:
    assert matcher(read(pattern))(text) is naive(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("_b%", "ab", True),
        ("_b%", "abcd1", True),
        ("_b%", "b", False),
        ("_b%", "acd", False),
        ("a.c", "abc", False),
        ("%.%", "a\nb.c", True),
        ("_", "\n", True),
        ("_", "😀", True),
        ("abc\\%", "abc%", True),
        ("abc\\%", "abcd", False),
        ("a\\b", "a\\b", True),
        ("\\\\%", "\\%", True),
        ("aba%ba", "aba", False),
    ],
)
def test_examples(pattern: str, text: str, expected: bool) -> None:
    assert matcher(read(pattern))(text) is expected


@pytest.mark.parametrize(
    "pattern", ["%a" * 2_000 + "%b", "%a_" * 300 + "%b", "%" + "a" * 4_000 + "b%", "_%" * 2_000]
)
def test_a_hostile_pattern_takes_no_time(pattern: str) -> None:
    began = time.process_time()
    matcher(read(pattern))("a" * 65_536)
    assert time.process_time() - began < brief(0.5)
