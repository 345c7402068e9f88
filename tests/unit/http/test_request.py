"""What is sent is what was meant, whatever it is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from shared.http.request import FRAMING, InvalidRequest, render, target_of

NAMES = st.text("abcXYZ019-_.!#$%&'*+^`|~", min_size=1).filter(lambda name: name.lower() not in FRAMING)
VALUES = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32) if c != 9] + ["\x7f"]
    )
)


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_every_header_is_a_line_of_its_own(headers: list[tuple[str, str]]) -> None:
    lines = render(headers).split(b"\r\n")
    assert lines.pop() == b""
    assert lines == [f"{name}: {value}".encode() for name, value in headers]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3))
def test_nothing_becomes_more_than_it_is(headers: list[tuple[str, str]]) -> None:
    try:
        text = render(headers)
    except InvalidRequest:
        return
    assert text.count(b"\r") == text.count(b"\n") == len(headers)
    assert b"\x00" not in text


@pytest.mark.parametrize(
    "bad", ["\r", "\n", "\r\n", "\0", "\x0b", "\x1f", "\x7f", "\r\nx: y", "a\r\n\r\nGET / HTTP/1.1"]
)
def test_injection(bad: str) -> None:
    for headers in ([("a", bad)], [("a", "b"), ("c", f"d{bad}e")], [(f"a{bad}", "b")]):
        with pytest.raises(InvalidRequest):
            render(headers)


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", *sorted(FRAMING), "Content-Length", "HOST"])
def test_names_that_cannot_be_sent(name: str) -> None:
    with pytest.raises(InvalidRequest):
        render([(name, "1")])


def test_half_a_surrogate_pair() -> None:
    with pytest.raises(InvalidRequest):
        render([("a", "\ud800")])


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://a.example", b" / HTTP/1.1\r\nhost: a.example\r\n"),
        ("http://a.example:80/x?y=%2f&z#f", b" /x?y=%2f&z HTTP/1.1\r\nhost: a.example\r\n"),
        ("https://a.example:80/", b" / HTTP/1.1\r\nhost: a.example:80\r\n"),
        ("https://[2001:db8::1]/", b" / HTTP/1.1\r\nhost: [2001:db8::1]\r\n"),
        ("http://[::1]:8080/", b" / HTTP/1.1\r\nhost: [::1]:8080\r\n"),
    ],
)
def test_targets(url: str, start: bytes) -> None:
    assert target_of(URL(url, encoded=True)).start == start


@pytest.mark.parametrize(
    "url", ["ftp://a/", "/a", "http:///a", "http://a/b c", "http://a/b\r\nx: y", "http://a/\x7f"]
)
def test_what_is_no_target(url: str) -> None:
    with pytest.raises((InvalidRequest, ValueError)):
        target_of(URL(url, encoded=True))
