"""Which content mode a message has."""

import pytest

from shared.core.cloudevents import InvalidEvent, Mode, UnsupportedFormat, content_mode, parse


@pytest.mark.spec("H04")
@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        (b"application/cloudevents+json", Mode.STRUCTURED),
        (b"Application/CloudEvents+JSON; Charset=UTF-8", Mode.STRUCTURED),
        (b"application/cloudevents-batch+json", Mode.BATCH),
        (b" APPLICATION/CLOUDEVENTS-BATCH+JSON;charset=utf-8", Mode.BATCH),
        (b"application/json", Mode.BINARY),
        (b"application/x-cloudevents", Mode.BINARY),
        (b'application/cloudevents+json ; charset="utf-8"; x=y', Mode.STRUCTURED),
        (b"", Mode.BINARY),
        (b"x" * 500, Mode.BINARY),
    ],
)
def test_the_content_type_alone_decides_batch_first(content_type: bytes, mode: Mode) -> None:
    assert content_mode([(b"ce-id", b"1"), (b"Content-Type", content_type)]) is mode


@pytest.mark.spec("H04")
def test_without_a_content_type_it_is_binary() -> None:
    assert content_mode([(b"ce-id", b"1")]) is Mode.BINARY


@pytest.mark.spec("H05", "H29", "W12")
@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents",
        b"application/cloudevents+avro",
        b"application/cloudevents+protobuf",
        b"application/cloudevents-batch+xml",
        b"application/cloudevents-batch",
        b"application/cloudevents-batchx",
        b"application/cloudevents-batch+jsonx",
        b"application/cloudeventsx",
        b"application/cloudevents +json",
        b"application/cloudevents+json, application/cloudevents+json",
        b"application/cloudevents+jsonx",
        b"application/cloudevents+json; charset=utf-16",
        b"application/cloudevents+json; =",
        b"application/cloudevents+\xff",
    ],
)
def test_another_format_is_not_understood(content_type: bytes) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        parse([(b"content-type", content_type)], b"{}")
    assert "application/cloudevents" in caught.value.detail


def test_two_content_types_are_refused() -> None:
    with pytest.raises(InvalidEvent):
        content_mode([(b"content-type", b"a/b"), (b"content-type", b"a/b")])


@pytest.mark.spec("H07")
def test_a_batch_is_not_one_event() -> None:
    with pytest.raises(UnsupportedFormat):
        parse(iter([(b"content-type", b"application/cloudevents-batch+json")]), b"[]")
