"""Messages and events for the codec's tests."""

import base64
import json
from typing import Any

from hypothesis import strategies as st

from shared.core.cloudevents import DataKind, Event, parse, parse_structured

STRUCTURED = [(b"content-type", b"application/cloudevents+json")]
MINIMAL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "minimal",
    "source": "https://cloudevents.io",
    "type": "io.cloudevents.test",
}


def structured(**members: Any) -> Event:
    """The event of the minimal JSON object with these members added."""
    return parse_structured(json.dumps(MINIMAL | members).encode())


def binary(body: bytes = b"", content_type: str | None = None, **attributes: str) -> Event:
    """The event of a binary message; `attributes` are written into the headers as they are."""
    headers = [(f"ce-{k}".encode(), v.encode()) for k, v in (MINIMAL | attributes).items()]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    return parse(headers, body)


def sent(message: tuple[list[tuple[str, str]], bytes]) -> Event:
    """What a receiver makes of a message that Weir sends."""
    headers, body = message
    return parse([(name.encode("ascii"), value.encode("ascii")) for name, value in headers], body)


_noncharacters = [chr(p << 16 | low) for p in range(17) for low in (0xFFFE, 0xFFFF)]
texts = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"),
        exclude_characters=_noncharacters + [chr(c) for c in range(0xFDD0, 0xFDF0)],
    ),
    max_size=30,
)
some_text = texts.filter(bool)
names = st.from_regex(r"\A[a-z0-9]{1,20}\Z").filter(
    lambda name: (
        name
        not in {
            "specversion",
            "id",
            "source",
            "type",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
            "data",
            "schemaurl",
            "datacontentencoding",
        }
    )
)
sources = st.sampled_from(["https://cloudevents.io", "/a/b%20c", "#x", "urn:uuid:6e8bc430", "mailto:a@b.io"])
values = texts | st.booleans() | st.integers(-(2**31), 2**31 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


JSON_TYPES = [None, "application/json", "Model/gltf+JSON; v=1", "application/json; charset=utf-16"]
TEXT_TYPES = ["text/plain", "TEXT/html; Charset=utf-8", "a/b+xml", 'text/plain; x="; charset=utf-16"']
OTHER_TYPES = [None, "application/octet-stream", "image/png", "text/plain; charset=iso-8859-1"]
TIMES = [None, "2018-04-05T17:31:00Z", "2016-12-31t23:59:60.123456789+01:00", "0000-02-29T00:00:00-00:00"]


@st.composite
def events(draw: st.DrawFn, version: str | None = None) -> Event:
    """Events with all that the codec lets in: both versions, every kind of data, every type of attribute."""
    event = Event(
        version or draw(st.sampled_from(["1.0", "0.3"])),
        draw(some_text),
        draw(sources),
        draw(some_text),
        subject=draw(st.none() | some_text),
        time=draw(st.sampled_from(TIMES)),
        extensions=draw(st.dictionaries(names, values, max_size=3)),
    )
    if event.specversion == "1.0":
        event.dataschema = draw(st.sampled_from([None, "https://x.io/s?v=%20", "urn:a:b"]))
    elif (schema := draw(st.sampled_from([None, "/s#a", "https://x.io/s%20"]))) is not None:
        event.extensions["schemaurl"] = schema
    kind = draw(st.sampled_from(DataKind))
    event.data_kind = kind
    if kind is DataKind.JSON:
        event.data = json.dumps(draw(json_values), ensure_ascii=draw(st.booleans())).encode()
        event.datacontenttype = draw(st.sampled_from(JSON_TYPES))
    elif kind is DataKind.TEXT and event.specversion == "0.3" and draw(st.booleans()):
        event.extensions["datacontentencoding"] = draw(st.sampled_from(["base64", "Base64"]))
        event.data = base64.b64encode(draw(st.binary(min_size=1)))
        event.datacontenttype = draw(st.sampled_from([*JSON_TYPES, *TEXT_TYPES, *OTHER_TYPES]))
    elif kind is DataKind.TEXT:
        event.data = draw(st.text(st.characters(exclude_categories=("Cs",)))).encode()
        event.datacontenttype = draw(st.sampled_from(TEXT_TYPES))
    elif kind is DataKind.BINARY:
        event.data = draw(st.binary())
        event.datacontenttype = draw(st.sampled_from(OTHER_TYPES))
    else:
        event.datacontenttype = draw(st.sampled_from([*JSON_TYPES, *TEXT_TYPES, *OTHER_TYPES]))
    return event


def payload(event: Event) -> bytes:
    """What the event is about: in version 0.3 bytes may be said in base64."""
    data = event.data or b""
    if event.data_kind is DataKind.TEXT and "datacontentencoding" in event.extensions:
        return base64.b64decode(data) if event.specversion == "0.3" else data
    return data
