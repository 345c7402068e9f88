"""The JSON event format, one event or a batch: `application/cloudevents+json` (formats/json-format.md)."""

import binascii
import re
from typing import Any

import msgspec

from shared.core.cloudevents.build import build
from shared.core.cloudevents.event import DataKind, Event, InvalidEvent
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.plain import read_one

STRUCTURED_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_WHITESPACE = b" \t\n\r"


def parse_structured(body: bytes) -> Event:
    """The event in a JSON object. Its `data` keeps its bytes: nothing in it is decoded. Raises InvalidEvent."""
    return read_one(body) or parse_object(body)


def to_json(event: Event) -> bytes:
    """The event as a JSON object; data of kind JSON stands in it byte for byte."""
    document: dict[str, Any] = event.attributes()
    match event.data_kind:
        case DataKind.JSON:
            document["data"] = msgspec.Raw(event.data or b"null")
        case DataKind.TEXT:
            document["data"] = (event.data or b"").decode()
        case DataKind.BINARY if event.specversion == "0.3":
            document["datacontentencoding"] = "base64"
            document["data"] = event.data
        case DataKind.BINARY:
            document["data_base64"] = event.data
        case DataKind.NONE:
            pass
    return _encode(document)


def is_json(body: bytes) -> bool:
    """Whether `body` is one JSON text in UTF-8."""
    try:
        if not body.isascii():
            body.decode()
        _whole(body)
    except (ValueError, RecursionError):
        return False
    return True


def is_base64(text: str | bytes) -> bool:
    """Whether `text` is base64 (RFC 4648, section 4): padded, and nothing else between."""
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return True


_whole = msgspec.json.Decoder(msgspec.Raw).decode


def check_utf8(body: bytes) -> None:
    """Raise InvalidEvent for bytes that are not UTF-8."""
    # The decoder does not look inside what it leaves raw.
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise InvalidEvent(f"the body is not UTF-8: byte {error.start} cannot be decoded", "") from None


def parse_object(body: bytes) -> Event:
    """`parse_structured` without the short way."""
    check_utf8(body)
    try:
        members = _members(body)
        data = _taken(members, "data")
        encoded = _taken(members, "data_base64")
        joined = b",".join(members.values())
        # Braces, names with quotes and colon, values, commas.
        names = "".join(members)
        least = 2 + len(names) + 3 * len(members) + len(joined)
        if data is not None:
            least += 8 + len(data)
        if encoded is not None:
            least += 15 + len(encoded)
        if len(body) != least:
            _refuse_repetition(body, names, least, b"".join((joined, data or b"", encoded or b"")))
        values = _value(b"[%b]" % joined)
        attributes = dict(zip(members, values))  # noqa: B905  # strict costs as much again
        if None in values:
            # An attribute that is null is not set (J03).
            attributes = {name: value for name, value in attributes.items() if value is not None}
        if encoded is not None and encoded != b"null":
            return build(attributes, _decode_base64(attributes, data, encoded), DataKind.BINARY)
        if data is None:
            return build(attributes, None, DataKind.NONE)
        kind = _kind(attributes, data)
        return build(attributes, data if kind is DataKind.JSON else _value(data).encode(), kind)
    except msgspec.ValidationError as error:
        # What else the decoder refuses of JSON are integers with thousands of digits.
        number = "out of range" in str(error)
        raise InvalidEvent(
            "an attribute has a number out of range" if number else "an event must be a JSON object", ""
        ) from None
    except (ValueError, RecursionError) as error:
        raise malformed(error, "the event is not JSON") from None


def _taken(members: dict[str, msgspec.Raw], name: str) -> bytes | None:
    raw = members.pop(name, None)
    return None if raw is None else bytes(raw)


def _kind(attributes: dict[str, Any], data: bytes) -> DataKind:
    """What the member `data` holds: a JSON value where the content is JSON, else a text (section 3.1.2)."""
    if "datacontentencoding" in attributes and attributes.get("specversion") == "0.3":
        # Version 0.3 says in a string what 1.0 says in data_base64; it is passed on as it is.
        text = _value(data)
        if not isinstance(text, str) or not is_base64(text):
            raise InvalidEvent("data must be base64, as datacontentencoding says", "/data")
        return DataKind.TEXT
    content_type = attributes.get("datacontenttype")
    said = media_type(content_type) if isinstance(content_type, str) else None
    if said is None or said.is_json:
        return DataKind.JSON
    if data[:1] != b'"':
        raise InvalidEvent(f"data must be a string where datacontenttype is {content_type}", "/data")
    return DataKind.TEXT


def _decode_base64(attributes: dict[str, Any], data: bytes | None, encoded: bytes) -> bytes:
    if attributes.get("specversion") == "0.3":
        raise InvalidEvent("data_base64 is not a member of version 0.3", "/data_base64")
    if data is not None:
        raise InvalidEvent("data and data_base64 must not both be present", "/data_base64")
    text = _value(encoded)
    if not isinstance(text, str):
        raise InvalidEvent("data_base64 must be a string", "/data_base64")
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise InvalidEvent("data_base64 is not base64 (RFC 4648)", "/data_base64") from None


def _refuse_repetition(body: bytes, names: str, least: int, values: bytes) -> None:
    """Raise InvalidEvent where a member stands twice (C03): the decoder keeps the last one silently.

    `least` is the length that the members kept would have without white space between them. What the text
    has beyond that is white space, or a member that was dropped, or a name written with escapes: so the
    lengths tell, and names with escapes alone need a second reading. The white space inside `names` and
    `values` is in `least` already; a name may have some where its value is null.
    """
    white = len(body) - len(body.translate(None, _WHITESPACE))
    within = len(values) - len(values.translate(None, _WHITESPACE))
    if " " in names:
        within += names.count(" ")
    if len(body) - least == white - within:
        return
    seen: set[str] = set()
    # Only the members of the event itself count: repeated ones inside data are the sender's affair.
    for name in _names(body):
        if name in seen:
            raise InvalidEvent(f"{name} is there more than once", f"/{name}")
        seen.add(name)


class _Name:
    """A name that is equal to no other, so that a dict keeps those that are repeated."""

    __slots__ = ("text",)

    def __init__(self, _type: type, text: str) -> None:
        self.text = text


def _names(body: bytes) -> list[str]:
    """The names of the members of a JSON object, repeated ones too, in the order of the text."""
    return [name.text for name in _named(body)]


_named = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=_Name).decode


def malformed(error: Exception, what: str, before: int = 0) -> InvalidEvent:
    """What to say of a text that is no JSON: `what`, and why. So many bytes are `before` what was read of it."""
    if isinstance(error, RecursionError):
        return InvalidEvent("the JSON is nested too deep", "")
    reason = str(error).removeprefix("JSON is malformed: ")
    return InvalidEvent(f"{what}: {_PLACE(lambda place: f'(byte {int(place[1]) + before})', reason)}", "")


_PLACE = re.compile(r"\(byte (\d+)\)").sub
