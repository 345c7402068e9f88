"""Headers that a subscription adds: nothing that is Weir's own, nothing that breaks out of its line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery import InvalidPolicy, parse_policy
from shared.core.sink_headers import header_faults


@pytest.mark.parametrize(
    "name",
    [
        *(
            "content-type",
            "Content-Length",
            "HOST",
            "connection",
            "transfer-encoding",
            "te",
            "trailer",
            "upgrade",
        ),
        *(
            "ce-id",
            "Ce-Anything",
            "webhook-id",
            "webhook-signature",
            "WebHook-Other",
            "traceparent",
            "prefer",
        ),
        *("proxy-authorization", "user-agent", "expect", "keep-alive", "accept-encoding", "content-encoding"),
        *("", "a b", "a:b", "ä", "a\r\nb", "a" * 101, "x\0"),
    ],
)
def test_names_that_cannot_be(name: str) -> None:
    (fault,) = header_faults({name: "value"})
    assert fault.detail


@pytest.mark.parametrize(
    "value", ["", " a", "a ", "a\r\nx-evil: 1", "a\n", "a\0", "ä", "\x7f", "a" * 2001, 5, None, []]
)
def test_values_that_cannot_be(value: Any) -> None:
    (fault,) = header_faults({"x-a": value})
    assert fault.pointer == "/x-a"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-A": "1", "x-b": "a\tb c"},
        {"Authorization": "Bearer x"},
        {"WebHook-Request-Origin": "weir.example"},
    ],
)
def test_what_can_be_sent(headers: dict[str, str]) -> None:
    assert header_faults(headers) == []


def test_case_does_not_make_two_of_one() -> None:
    (fault,) = header_faults({"x-a": "1", "X-A": "2"})
    assert fault.pointer == "/X-A"


def test_there_is_an_end() -> None:
    assert header_faults({f"x-{n}": "1" for n in range(32)}) == []
    assert header_faults({f"x-{n}": "1" for n in range(33)})[0].pointer == ""


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_nothing_that_is_let_through_can_begin_a_line(headers: dict[str, str]) -> None:
    if not header_faults(headers):
        for name, value in headers.items():
            assert (name + value).isascii()
            assert not set(name + value) & set("\r\n\0")
            assert ":" not in name


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"headers": []}, "/delivery/headers"),
        ({"headers": {"a/b": "x"}}, "/delivery/headers/a~1b"),
        ({"headers": {"Host": "x"}}, "/delivery/headers/Host"),
        ({"ceOverrides": []}, "/delivery/ceOverrides"),
        ({"ceOverrides": {"other": {}}}, "/delivery/ceOverrides/other"),
        ({"ceOverrides": {"extensions": []}}, "/delivery/ceOverrides/extensions"),
        ({"ceOverrides": {"extensions": {"Big": "a"}}}, "/delivery/ceOverrides/extensions/Big"),
        ({"ceOverrides": {"extensions": {"id": "a"}}}, "/delivery/ceOverrides/extensions/id"),
        ({"ceOverrides": {"extensions": {"data": "a"}}}, "/delivery/ceOverrides/extensions/data"),
        ({"ceOverrides": {"extensions": {"a": ""}}}, "/delivery/ceOverrides/extensions/a"),
        ({"ceOverrides": {"extensions": {"a": 5}}}, "/delivery/ceOverrides/extensions/a"),
        ({"ceOverrides": {"extensions": {"a": "b\n"}}}, "/delivery/ceOverrides/extensions/a"),
        (
            {"ceOverrides": {"extensions": {f"a{n}": "b" for n in range(21)}}},
            "/delivery/ceOverrides/extensions",
        ),
        ({"batchSize": 0}, "/delivery/batchSize"),
        ({"batchSize": 1001}, "/delivery/batchSize"),
        ({"batchSize": "2"}, "/delivery/batchSize"),
        ({"replies": "yes"}, "/delivery/replies"),
        ({"replies": True, "batchSize": 2}, "/delivery/replies"),
    ],
)
def test_the_member_that_cannot_be_is_pointed_at(policy: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(policy)
    assert refused.value.pointer == pointer
