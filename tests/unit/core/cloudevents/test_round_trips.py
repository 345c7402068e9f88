"""What is sent is what was taken: binary and structured mode carry the same event."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.core.cloudevents import (
    DataKind,
    Event,
    InvalidEvent,
    UnsupportedFormat,
    parse,
    parse_batch,
    parse_structured,
    to_binary,
    to_json,
    to_structured,
)
from tests.unit.core.cloudevents.messages import MINIMAL, events, json_values, payload, sent

ENCODED = {"datacontentencoding": "base64"}


def canonical(event: Event) -> dict[str, str]:
    """The attributes as binary mode has them, where every value is a text."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in event.attributes().items()
    }


def goes_structured(event: Event) -> None:
    """Structured mode and batches give the same event."""
    again = sent(to_structured(event))
    if event.specversion == "0.3" and event.data_kind is DataKind.BINARY:
        # The JSON format of version 0.3 has no bytes: they go in base64, and an attribute says so.
        assert (payload(again), again.data_kind) == (event.data, DataKind.TEXT)
        assert again.attributes() == event.attributes() | ENCODED
    else:
        assert again == event
    assert parse_structured(to_json(event)) == again
    assert parse_batch(b"[" + to_json(event) + b"]") == [again]
    assert sent(to_structured(again)) == again


def goes_binary(event: Event) -> None:
    """Binary mode gives the same attributes, as texts, and the same bytes."""
    again = sent(to_binary(event))
    expected = canonical(event)
    if event.data_kind is DataKind.JSON:
        expected.setdefault("datacontenttype", "application/json")
    assert canonical(again) == expected
    assert (again.data or b"") == (event.data or b"")
    assert again.data_kind is (event.data_kind if event.data else DataKind.NONE)


@pytest.mark.spec("H23", "H24", "J07", "J24", "C08", "C22", "C32", "K1.7")
@given(events())
def test_structured_mode_gives_back_the_same_event(event: Event) -> None:
    goes_structured(event)


@pytest.mark.spec("H10", "H11", "H14", "C08", "C22", "C26", "C32", "K1.7")
@given(events())
def test_binary_mode_gives_back_the_attributes_and_the_bytes(event: Event) -> None:
    goes_binary(event)


@pytest.mark.spec("H01", "J20")
@given(events(version="1.0"))
def test_binary_to_structured_to_binary_changes_nothing(event: Event) -> None:
    first = sent(to_binary(event))
    assert sent(to_structured(first)) == first
    assert to_binary(sent(to_structured(first))) == to_binary(first)


TEXTS = st.sampled_from(
    [
        "",
        "a",
        "b c",
        "ü€😀",
        "100%",
        '"q"',
        "%41",
        "\\",
        "\x00",
        "\ufffe",
        "1",
        "true",
        "1.0",
        "/a%20b",
        "#",
        "a:b",
    ]
)
CONTENT_TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "text/plain",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        "image/svg+xml",
        "xyz",
        "",
    ]
)
MEMBERS = {
    "specversion": st.sampled_from(["1.0", "0.3", "1", ""]),
    "id": TEXTS,
    "source": TEXTS,
    "subject": TEXTS | st.none(),
    "time": TEXTS | st.just("2018-04-05t17:31:60z"),
    "dataschema": TEXTS | st.just("urn:a:b"),
    "schemaurl": TEXTS,
    "datacontenttype": CONTENT_TYPES | st.none(),
    "datacontentencoding": st.sampled_from(["base64", "gzip", ""]),
    "ext": TEXTS | st.integers() | st.booleans() | st.none() | st.floats(),
    "Bad": TEXTS | st.none(),
    "data_base64": st.sampled_from(["TWE=", "", "TWE", "\n", "_-==", None]),
}


@pytest.mark.spec("C08", "C32", "J24")
@given(st.fixed_dictionaries({}, optional=MEMBERS | {"data": json_values | st.just("TWE=")}))
def test_whatever_is_taken_in_structured_mode_goes_out_the_same(members: dict[str, Any]) -> None:
    try:
        event = parse_structured(json.dumps(MINIMAL | members).encode())
    except InvalidEvent:
        assume(False)
    goes_structured(event)
    again = sent(to_binary(event))
    assert canonical(again) == canonical(event) | (
        {"datacontenttype": event.datacontenttype or "application/json"}
        if event.data_kind is DataKind.JSON
        else {}
    )


@pytest.mark.spec("C08", "C32", "C42", "H10")
@given(
    st.fixed_dictionaries({}, optional={k: v for k, v in MEMBERS.items() if k != "datacontenttype"}),
    CONTENT_TYPES | st.none(),
    st.binary(max_size=8) | st.sampled_from([b"{}", b'"\xc3\xbc"', b"NaN", b"TWE=", b"[", b"\xef\xbb\xbf1"]),
)
def test_whatever_is_taken_in_binary_mode_goes_out_the_same(
    members: dict[str, Any], content_type: str | None, body: bytes
) -> None:
    headers = [(f"ce-{name}".encode(), str(value).encode()) for name, value in (MINIMAL | members).items()]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    try:
        event = parse(headers, body)
    except (InvalidEvent, UnsupportedFormat):
        assume(False)
    goes_structured(event)
    assert sent(to_binary(event)) == event


@pytest.mark.spec("J12", "H08")
@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
    st.sampled_from(["iso-8859-1", "windows-1252", "utf-16", "utf-16le"]),
)
def test_a_text_leaves_json_in_the_charset_that_its_content_type_says(text: str, charset: str) -> None:
    event = Event("1.0", "1", "/s", "t", datacontenttype=f"text/plain; charset={charset}")
    event.data, event.data_kind = text.encode(), DataKind.TEXT
    goes_structured(event)
    body = to_binary(event)[1]
    try:
        assert body.decode(charset) == text
    except (UnicodeDecodeError, AssertionError):
        assert body == text.encode()  # the charset has no such characters
        with pytest.raises(UnicodeEncodeError):
            text.encode(charset)
