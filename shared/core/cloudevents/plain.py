"""The short way for events that hold no surprise: most of what senders write, at a third of the cost.

An event is plain when its JSON is what serialisers write: version 1.0, its attributes strings of ASCII without
escapes, its data JSON. The decoder fills in a struct and passes over what has no field. So the length that the
fields would have is compared with the length of the text: they are equal only where nothing was passed over,
repeated, null, escaped or spaced. Everything else takes the long way, which knows every rule and says what is
wrong.
"""

import msgspec

from shared.core.cloudevents.event import DataKind, Event, InvalidEvent, Value
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.rules import check_extension, is_schema, is_source, is_timestamp

_JSON, _NONE = DataKind.JSON, DataKind.NONE


class Plain(msgspec.Struct, gc=False):
    """The members of a plain event."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    partitionkey: str | None = None
    correlationid: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")


_one = msgspec.json.Decoder(Plain).decode
_several = msgspec.json.Decoder(list[Plain | None]).decode
_raw = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode
_FIELDS = frozenset(Plain.__struct_fields__)
_MANY = 100
"""With more members an event is read the long way at once: to read a hundred thousand of them twice takes a while."""

_DELETE = b"\x7f"
"""The only control character that JSON lets stand unescaped."""

_LEAST = len('{"specversion":"","id":"","source":"","type":""}')
_SUBJECT = len(',"subject":""')
_TIME = len(',"time":""')
_CONTENT_TYPE = len(',"datacontenttype":""')
_SCHEMA = len(',"dataschema":""')
_DATA = len(',"data":')
_TRACEPARENT = len(',"traceparent":""')
_TRACESTATE = len(',"tracestate":""')
_PARTITIONKEY = len(',"partitionkey":""')
_CORRELATIONID = len(',"correlationid":""')


def read_one(text: bytes) -> Event | None:
    """The event in a JSON object, or None where it is not plain."""
    try:
        _check(text)
        plain = _one(text)
    except (ValueError, RecursionError):
        return None
    length = _length(plain)
    if length == len(text):
        return _event(plain)
    return _read_more(text, plain, length)


def _read_more(text: bytes, plain: Plain, length: int) -> Event | None:
    """The event in a text that is longer than that of `plain`: by extensions without a field here, and by spaces.

    What a repetition or an escape adds is never spaces alone, so where the spaces outside of values are just as
    many as the text is longer, there is nothing else.
    """
    members = _members(text)
    if len(members) > _MANY:
        return None
    more: dict[str, Value] = {}
    try:
        for name, raw in members.items():
            if name not in _FIELDS:
                value = _value(raw)
                check_extension(name, value)
                more[name] = value
                length += len(name) + len(',"":') + len(memoryview(raw))
    except (InvalidEvent, ValueError, RecursionError):
        return None
    longer = len(text) - length
    if longer:
        values = b"".join(members.values())
        if longer != text.count(b" ") - values.count(b" "):
            return None
    event = _event(plain)
    if event is not None:
        event.extensions.update(more)
    return event


def read_several(text: bytes, first: int = 0, max_bytes: int | None = None) -> list[Event | bytes] | None:
    """What stands in a JSON array from element `first` on; those before are null.

    An element that is not plain, or has more than `max_bytes`, is its text. None where the decoder finds one that
    does not fit the struct.
    """
    try:
        _check(text)
        elements = _several(text)[first:]
    except (ValueError, RecursionError):
        return None
    lengths = [_length(element) if element is not None else 4 for element in elements]
    # Brackets, commas, and null: where nothing else is there, no element needs to be looked at by itself.
    if 1 + len(elements) + 5 * first + sum(lengths) == len(text) and (
        max_bytes is None or max(lengths, default=0) <= max_bytes
    ):
        events = [_event(element) for element in elements if element is not None]
        plain = [event for event in events if event is not None]
        if len(plain) == len(elements):
            return list(plain)
    found: list[Event | bytes] = []
    for element, length, raw in zip(elements, lengths, _raw(text)[first:], strict=True):
        part = bytes(raw)
        event = None
        if element is not None and (max_bytes is None or len(part) <= max_bytes):
            event = _event(element) if length == len(part) else _read_more(part, element, length)
        found.append(event or part)
    return found


def _check(text: bytes) -> None:
    """Raise ValueError for a text that is not plain before it is decoded."""
    if not text.isascii():
        text.decode()  # the decoder does not look inside what it leaves raw
    if _DELETE in text:
        raise ValueError


def _length(plain: Plain) -> int:
    """How long the text of `plain` is where nothing else stands in it."""
    length = _LEAST + len(plain.specversion) + len(plain.id) + len(plain.source) + len(plain.type)
    if plain.subject is not None:
        length += _SUBJECT + len(plain.subject)
    if plain.time is not None:
        length += _TIME + len(plain.time)
    if plain.datacontenttype is not None:
        length += _CONTENT_TYPE + len(plain.datacontenttype)
    if plain.dataschema is not None:
        length += _SCHEMA + len(plain.dataschema)
    if plain.traceparent is not None:
        length += _TRACEPARENT + len(plain.traceparent)
    if plain.tracestate is not None:
        length += _TRACESTATE + len(plain.tracestate)
    if plain.partitionkey is not None:
        length += _PARTITIONKEY + len(plain.partitionkey)
    if plain.correlationid is not None:
        length += _CORRELATIONID + len(plain.correlationid)
    data = len(memoryview(plain.data))
    return length + _DATA + data if data else length


def _event(plain: Plain) -> Event | None:
    """The event of `plain`, or None where one of its values is not what it must be."""
    content_type = plain.datacontenttype
    if content_type is not None:
        said = media_type(content_type)
        if said is None or not said.is_json:
            return None
    if (
        plain.specversion != "1.0"
        or not plain.id
        or not plain.type
        or plain.subject == ""
        or not is_source(plain.source)
        or (plain.time is not None and not is_timestamp(plain.time))
        or (plain.dataschema is not None and not is_schema(plain.dataschema))
    ):
        return None
    extensions: dict[str, Value] = {}
    if plain.traceparent is not None:
        extensions["traceparent"] = plain.traceparent
    if plain.tracestate is not None:
        extensions["tracestate"] = plain.tracestate
    if plain.partitionkey is not None:
        extensions["partitionkey"] = plain.partitionkey
    if plain.correlationid is not None:
        extensions["correlationid"] = plain.correlationid
    data = bytes(plain.data)
    return Event(
        "1.0",
        plain.id,
        plain.source,
        plain.type,
        plain.subject,
        plain.time,
        content_type,
        plain.dataschema,
        extensions,
        data or None,
        _JSON if data else _NONE,
    )
