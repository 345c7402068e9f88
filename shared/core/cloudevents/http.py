"""Events in HTTP messages, in binary and structured mode (bindings/http-protocol-binding.md)."""

from collections.abc import Iterable
from functools import lru_cache

from shared.core.cloudevents.build import build, build_plain
from shared.core.cloudevents.event import DataKind, Event, InvalidEvent, Mode, UnsupportedFormat, Value
from shared.core.cloudevents.headers import decode, decode_quoted, encode
from shared.core.cloudevents.json_format import (
    BATCH_TYPE,
    STRUCTURED_TYPE,
    is_base64,
    is_json,
    parse_structured,
    to_json,
)
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.rules import check_name
from shared.core.cloudevents.uris import is_uri_reference

Headers = Iterable[tuple[bytes, bytes]]

_BATCH_PREFIX = b"application/cloudevents-batch"
_STRUCTURED_PREFIX = b"application/cloudevents"
_NONE = DataKind.NONE
_URIS = ("source", "dataschema")
_URIS_OF_03 = ("source", "schemaurl")
_CHARSETS = frozenset({"iso-8859-1", "latin1", "windows-1252", "utf-16", "utf-16le", "utf-16be"})


def content_mode(headers: Headers) -> Mode:
    """How the message carries its event, by its Content-Type alone (section 3).

    Raises UnsupportedFormat for a CloudEvents media type other than JSON in UTF-8, InvalidEvent for two
    Content-Type headers.
    """
    return mode_of(content_type_of(headers))


def parse(headers: Headers, body: bytes) -> Event:
    """The one event of an HTTP message. Header names may have any case.

    Raises InvalidEvent for what is not a CloudEvent, UnsupportedFormat for another format or a batch.
    """
    headers = headers if isinstance(headers, (list, tuple)) else list(headers)
    content_type = content_type_of(headers)
    return parse_in(mode_of(content_type), content_type, headers, body)


def parse_in(mode: Mode, content_type: bytes | None, headers: Headers, body: bytes) -> Event:
    """`parse` where `content_type_of` and `mode_of` were asked before."""
    if mode is Mode.BINARY:
        return _parse_binary(headers, content_type, body)
    if mode is Mode.STRUCTURED:
        return parse_structured(body)
    raise UnsupportedFormat(f"{BATCH_TYPE} is not taken here: send one event in a request")


def to_binary(event: Event) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the event in binary mode; `content-type` is there where the event has one.

    JSON without a `datacontenttype` gets the one it implies (C26). A webhook must have a body
    (http-webhook.md, section 2.1): an event without data is better sent in structured mode.
    """
    headers = [
        ("ce-" + name, encode(value if type(value) is str else _canonical(value)))
        for name, value in event.attributes().items()
        if name != "datacontenttype"
    ]
    content_type = event.datacontenttype
    if content_type is None and event.data_kind is DataKind.JSON:
        content_type = "application/json"
    if content_type is not None:
        headers.append(("content-type", content_type))
    return headers, _body(event)


def to_structured(event: Event) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the event in structured mode, in the JSON format."""
    return [("content-type", STRUCTURED_TYPE)], to_json(event)


def to_batch(events: Iterable[Event]) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of several events in batched mode, in the JSON batch format (sections 3.3 and 4)."""
    return [("content-type", BATCH_TYPE)], b"[" + b",".join(map(to_json, events)) + b"]"


def content_type_of(headers: Headers) -> bytes | None:
    """The Content-Type, without space around it. Raises InvalidEvent for two."""
    found: bytes | None = None
    for name, value in headers:
        if len(name) == 12 and name.lower() == b"content-type":
            if found is not None:
                raise InvalidEvent("Content-Type is there more than once", "/datacontenttype")
            found = _known_type(value) if len(value) <= _CACHED_LENGTH else _read_type(value)
    return found


def _read_type(value: bytes) -> bytes:
    # White space around parameters may be tabs (RFC 9110, section 5.6.3), which no attribute may have.
    return value.replace(b"\t", b" ").strip(b" ")


def mode_of(content_type: bytes | None) -> Mode:
    """How a message with this Content-Type carries its event. Raises UnsupportedFormat."""
    if content_type is None:
        return Mode.BINARY
    return _known_mode(content_type) if len(content_type) <= _CACHED_LENGTH else _read_mode(content_type)


def _read_mode(content_type: bytes) -> Mode:
    if content_type[: len(_STRUCTURED_PREFIX)].lower() != _STRUCTURED_PREFIX:
        return Mode.BINARY
    batch = content_type[: len(_BATCH_PREFIX)].lower() == _BATCH_PREFIX
    expected = BATCH_TYPE if batch else STRUCTURED_TYPE
    text = content_type.decode("latin-1")
    said = media_type(text)
    if said is None or text.partition(";")[0].rstrip().lower() != expected or said.charset is not None:
        raise UnsupportedFormat(f"{text[:80]!a} is not understood, {expected} is")
    return Mode.BATCH if batch else Mode.STRUCTURED


def _learn(header: bytes) -> str | None:
    """The attribute that a header of this name has, None for another header. Raises InvalidEvent."""
    name = None
    if header[:3].lower() == b"ce-":
        name = header[3:].lower().decode("latin-1")
        check_name(name)
    if len(header) <= _CACHED_LENGTH:
        if len(_names) >= _CACHED_NAMES:
            _names.clear()
        _names[header] = name
    return name


_names: dict[bytes, str | None] = {}
"""What headers are called comes again and again: a look here is all that most of them cost."""

_CACHED_NAMES = 1024

# Long texts are not remembered: a sender must not choose how much memory the caches take.
_known_type = lru_cache(maxsize=128)(_read_type)
_known_mode = lru_cache(maxsize=128)(_read_mode)
_CACHED_LENGTH = 64


def _parse_binary(headers: Headers, content_type: bytes | None, body: bytes) -> Event:
    names: list[str] = []
    values: list[bytes] = []
    for header, value in headers:
        name = _names[header] if header in _names else _learn(header)
        if name is not None:
            names.append(name)
            values.append(value)
    texts = _plain_texts(values)
    plain = texts is not None
    attributes: dict[str, Value] = dict(zip(names, texts or _texts(names, values)))  # noqa: B905  # strict costs as much again
    if len(attributes) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidEvent(f"ce-{twice} is there more than once", f"/{twice}")
    if "datacontenttype" in attributes:
        raise InvalidEvent("ce-datacontenttype must not be sent: Content-Type says it", "/datacontenttype")
    if content_type is not None:
        attributes["datacontenttype"] = content_type.decode("latin-1")
    data, kind = (body, _kind(attributes, body)) if body else (None, _NONE)
    return (build_plain(attributes, data, kind) if plain else None) or build(attributes, data, kind)


def _plain_texts(values: list[bytes]) -> list[str] | None:
    """The texts of header values in which there is nothing to undo or to object to; None for others."""
    # Most often that is so for all of them: then one decoding does for all.
    joined = b"\n".join(values)
    if joined.isascii() and len(joined.translate(None, _NOT_PLAIN)) == len(joined) - len(values) + 1:
        return joined.decode().split("\n")
    return None


_NOT_PLAIN = bytes(range(0x21)) + b'%"\x7f'


def from_parts(attributes: dict[str, Value], body: bytes) -> Event:
    """The event with these attributes and `body` as its data, as in binary mode. `attributes` is used up.

    Raises InvalidEvent.
    """
    if not body:
        return build(attributes, None, _NONE)
    return build(attributes, body, _kind(attributes, body))


def _texts(names: list[str], values: list[bytes]) -> list[str]:
    """The attribute values in these header values."""
    uris = _URIS_OF_03 if ("specversion", b"0.3") in zip(names, values, strict=True) else _URIS
    return [_text(name, value.strip(b" \t"), uris) for name, value in zip(names, values, strict=True)]


def _text(name: str, value: bytes, uris: tuple[str, ...]) -> str:
    text = decode(name, value)
    if b"%" in value and name in uris and not is_uri_reference(text):
        # A URI has percent signs of its own. Where only the undecoded text is one, the sender did not
        # encode it, as sdk-go and sdk-java do not.
        undecoded = decode_quoted(name, value)
        if is_uri_reference(undecoded):
            return undecoded
    return text


def _kind(attributes: dict[str, Value], body: bytes) -> DataKind:
    """What the body is. Data that is not what Content-Type says is passed on as the bytes it is (C42)."""
    if "datacontentencoding" in attributes and attributes.get("specversion") == "0.3":
        return DataKind.TEXT if is_base64(body) else DataKind.BINARY
    content_type = attributes.get("datacontenttype")
    said = media_type(content_type) if isinstance(content_type, str) else None
    if said is None:
        return DataKind.BINARY
    if said.is_json:
        # JSON is UTF-8 whatever a charset says, which has no meaning there (RFC 8259, sections 8.1 and 11).
        return DataKind.JSON if is_json(body) else DataKind.BINARY
    if said.is_text and said.charset is None:
        try:
            body.decode()
        except UnicodeDecodeError:
            return DataKind.BINARY
        return DataKind.TEXT
    return DataKind.BINARY


def _body(event: Event) -> bytes:
    data = event.data or b""
    if event.data_kind is not DataKind.TEXT or event.datacontenttype is None:
        return data
    said = media_type(event.datacontenttype)
    if said is None or said.charset not in _CHARSETS:
        return data
    if event.specversion == "0.3" and "datacontentencoding" in event.extensions:
        return data  # base64: the charset is of what it encodes
    try:
        return data.decode().encode(said.charset)
    except UnicodeEncodeError:
        return data


def _canonical(value: Value) -> str:
    if value is True:
        return "true"
    return "false" if value is False else str(value)
