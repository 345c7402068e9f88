"""JSON pointers as RFC 6901 has them; the document of its section 5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.pointers import MISSING, InvalidPointer, find, read_pointer, write_pointer

DOCUMENT = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_the_rfc(pointer, value):
    assert find(read_pointer(pointer), DOCUMENT) == value
    assert write_pointer(read_pointer(pointer)) == pointer


@pytest.mark.parametrize(
    "pointer", ["/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/foo/\u0660", "/foo/bar", "/no", "/a~1b/0"]
)
def test_what_is_not_there_is_missing(pointer):
    assert find(read_pointer(pointer), DOCUMENT) is MISSING


@pytest.mark.parametrize("text", ["foo", "#/foo", "/~", "/a~2b", "/~01~"])
def test_what_is_no_pointer_is_refused(text):
    with pytest.raises(InvalidPointer, match="RFC 6901"):
        read_pointer(text)


@given(st.lists(st.text()))
def test_tokens_come_back(parts):
    assert read_pointer(write_pointer(parts)) == tuple(parts)
