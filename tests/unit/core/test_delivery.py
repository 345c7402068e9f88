"""Delivery policies and durations: what is read is what is shown, what is wrong is pointed at."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from shared.core.delivery import DEFAULT, InvalidPolicy, check_sink, parse_policy, policy_json, stored_policy
from shared.core.durations import format_duration, parse_duration
from shared.http.request import target_of


def test_the_defaults_are_the_contracts() -> None:
    assert policy_json(parse_policy(None)) == policy_json(parse_policy({})) == policy_json(DEFAULT)
    assert policy_json(DEFAULT) == {
        "retry": 12,
        "backoffPolicy": "exponential",
        "backoffDelay": "PT5S",
        "backoffMax": "PT6H",
        "timeout": "PT15S",
        "retryAfterMax": "PT1H",
        "format": "binary",
        "deadLetterSink": None,
        "ordering": "none",
        "maxInFlight": 32,
        "ratePerSecond": None,
        "batchSize": 1,
        "headers": {},
        "ceOverrides": {"extensions": {}},
        "replies": False,
    }


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "retry": st.integers(0, 1000),
            "backoffPolicy": st.sampled_from(["linear", "exponential"]),
            "backoffDelay": st.integers(0, 10**9).map(lambda us: format_duration(us / 1e6)),
            "timeout": st.integers(1, 600).map(format_duration),
            "format": st.sampled_from(["binary", "json"]),
            "deadLetterSink": st.just("https://example.com/dead"),
            "ordering": st.sampled_from(["none", "partitionkey"]),
            "maxInFlight": st.integers(1, 1000),
            "ratePerSecond": st.floats(0.001, 100_000),
            "batchSize": st.integers(1, 1000),
            "headers": st.dictionaries(
                st.from_regex(r"x-[a-z]{1,8}", fullmatch=True),
                st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True),
                max_size=4,
            ),
            "ceOverrides": st.dictionaries(
                st.from_regex(r"x[a-z0-9]{1,8}", fullmatch=True),
                st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20),
                max_size=4,
            ).map(lambda extensions: {"extensions": extensions}),
        },
    )
)
def test_a_policy_survives_being_shown(given_policy: dict[str, Any]) -> None:
    policy = parse_policy(given_policy)
    assert parse_policy(policy_json(policy)) == policy
    assert parse_policy(stored_policy(policy)) == policy


@pytest.mark.spec("K3.6")
@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ([], "/delivery"),
        ({"retry": -1}, "/delivery/retry"),
        ({"retry": True}, "/delivery/retry"),
        ({"retry": 1.5}, "/delivery/retry"),
        ({"retry": "3"}, "/delivery/retry"),
        ({"backoffPolicy": "fibonacci"}, "/delivery/backoffPolicy"),
        ({"backoffDelay": "5s"}, "/delivery/backoffDelay"),
        ({"backoffDelay": 5}, "/delivery/backoffDelay"),
        ({"backoffDelay": "P1M"}, "/delivery/backoffDelay"),
        ({"timeout": "PT0S"}, "/delivery/timeout"),
        ({"timeout": "PT11M"}, "/delivery/timeout"),
        ({"format": "xml"}, "/delivery/format"),
        ({"format": []}, "/delivery/format"),
        ({"deadLetterSink": "ftp://x"}, "/delivery/deadLetterSink"),
        ({"ordering": "yes"}, "/delivery/ordering"),
        ({"maxInFlight": 0}, "/delivery/maxInFlight"),
        ({"ratePerSecond": 0}, "/delivery/ratePerSecond"),
        ({"ratePerSecond": float("nan")}, "/delivery/ratePerSecond"),
        ({"retries": 3}, "/delivery/retries"),
    ],
)
def test_what_a_delivery_cannot_have_is_pointed_at(policy: Any, pointer: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(policy)
    assert caught.value.pointer == pointer
    assert caught.value.detail


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "https://example.com", "http://[::1]:9/a?b=c"])
def test_addresses_that_can_be_sinks(url: str) -> None:
    assert check_sink(url, "/sink") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/path",
        "ftp://example.com",
        "http://",
        "http://user:secret@example.com",
        "http://example.com/#part",
        "http://example.com/a b",
        "http://example.com/\r\nx: y",
        "http://exämple.com",
        "http://example.com:99999",
        "http://example.com:0",
        "http://[::1",
        "http://\\",
        "http://example.com\\.evil.example/",
        "http://][::1",
        "http://a[::1]/",
        7,
        None,
    ],
)
def test_addresses_that_cannot(url: Any) -> None:
    with pytest.raises(InvalidPolicy):
        check_sink(url, "/sink")


@pytest.mark.no_cover  # to make up addresses costs three times as much where lines are counted
@settings(max_examples=2_000)
@given(
    st.lists(
        st.sampled_from([*"[]\\:/?#@%.{}|^<>`\"'a0", "::1", "example.com", "%25x", "8080", "xn--"]),
        max_size=8,
    )
)
def test_what_can_be_a_sink_can_be_connected_to(parts: list[str]) -> None:
    try:
        text = check_sink(f"http://{''.join(parts)}", "/sink")
    except InvalidPolicy:
        return
    assert target_of(URL(text, encoded=True)).host


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0.2S", 0.2),
        ("PT5S", 5),
        ("PT1M30S", 90),
        ("PT6H", 21600),
        ("P1DT1S", 86401),
        ("PT0S", 0),
        ("P2D", 172800),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "5S", "PT-5S", "PT5", "pt5s", "P1W", "P1Y", "PT5S\n", "PT٣S", "PT1.5M"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_durations_survive_to_the_microsecond(micros: int) -> None:
    assert round(parse_duration(format_duration(micros / 1e6)) * 1e6) == micros
