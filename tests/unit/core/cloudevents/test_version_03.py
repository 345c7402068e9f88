"""Version 0.3: taken, kept and forwarded as what it is."""

import base64
import json
from typing import Any

import pytest

from shared.core.cloudevents import DataKind, InvalidEvent, to_binary, to_json, to_structured
from tests.unit.core.cloudevents.messages import MINIMAL, binary, sent, structured

V03 = {"specversion": "0.3"}


def test_schemaurl_is_kept_and_may_be_relative() -> None:
    event = structured(**V03, schemaurl="/schema#a", data={"a": 1})
    assert event.attributes() == MINIMAL | V03 | {"schemaurl": "/schema#a"}
    assert dict(to_binary(event)[0])["ce-schemaurl"] == "/schema#a"
    assert json.loads(to_json(event)) == MINIMAL | V03 | {"schemaurl": "/schema#a", "data": {"a": 1}}


@pytest.mark.parametrize("value", ["", "a b", 5])
def test_a_schemaurl_is_a_uri_reference(value: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(**V03, schemaurl=value)
    assert caught.value.pointer == "/schemaurl"


@pytest.mark.parametrize(
    "media_type",
    [None, "application/json", "image/png", "application/json; charset=utf-16", "text/plain; charset=utf-16"],
)
def test_encoded_data_is_passed_on_encoded(media_type: str | None) -> None:
    event = structured(**V03, datacontenttype=media_type, datacontentencoding="base64", data="TWE=")
    assert (event.data, event.data_kind) == (b"TWE=", DataKind.TEXT)
    headers, body = to_binary(event)
    assert (dict(headers)["ce-datacontentencoding"], body) == ("base64", b"TWE=")
    assert sent((headers, body)) == event
    assert sent(to_structured(event)) == event


@pytest.mark.parametrize("data", ["no base64!", "TW\nE=", "TWE", 5, {}, None])
def test_encoded_data_is_base64(data: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(**V03, datacontentencoding="base64", data=data)
    assert caught.value.pointer == "/data"


@pytest.mark.parametrize("encoding", ["gzip", "", 5])
def test_no_other_encoding_is_known(encoding: Any) -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(**V03, datacontentencoding=encoding)
    assert caught.value.pointer == "/datacontentencoding"


def test_bytes_become_base64_with_the_attribute_that_says_so() -> None:
    event = binary(b"\x00\xff", "application/octet-stream", **V03)
    document = json.loads(to_json(event))
    assert (document["datacontentencoding"], document["data"]) == ("base64", "AP8=")
    assert "data_base64" not in document


def test_data_base64_came_with_version_10() -> None:
    with pytest.raises(InvalidEvent) as caught:
        structured(**V03, data_base64="TWE=")
    assert caught.value.pointer == "/data_base64"


@pytest.mark.parametrize("body", [b"\xff", b"no base64!", b"TWE"])
def test_a_body_that_is_not_encoded_as_it_says_is_forwarded_and_encoded_in_json(body: bytes) -> None:
    event = binary(body, None, **V03, datacontentencoding="base64")
    assert event.data_kind is DataKind.BINARY
    assert to_binary(event)[1] == body
    again = sent(to_structured(event))
    assert base64.b64decode(again.data or b"") == body
