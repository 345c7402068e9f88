"""Messages and events for the codec's tests."""

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


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Every event of version 1.0 that the codec can be given."""
    event = Event(
        "1.0",
        draw(some_text),
        draw(sources),
        draw(some_text),
        subject=draw(st.none() | some_text),
        time=draw(st.sampled_from([None, "2018-04-05T17:31:00Z", "2016-12-31t23:59:60.123456789+01:00"])),
        dataschema=draw(st.sampled_from([None, "https://x.io/s?v=%20", "urn:a:b"])),
        extensions=draw(st.dictionaries(names, values, max_size=3)),
    )
    kind = draw(st.sampled_from(DataKind))
    event.data_kind = kind
    if kind is DataKind.JSON:
        event.data = json.dumps(draw(json_values), ensure_ascii=draw(st.booleans())).encode()
        event.datacontenttype = draw(st.sampled_from([None, "application/json", "Model/gltf+JSON; v=1"]))
    elif kind is DataKind.TEXT:
        event.data = draw(st.text(st.characters(exclude_categories=("Cs",)))).encode()
        event.datacontenttype = draw(st.sampled_from(["text/plain", "TEXT/html; Charset=utf-8", "a/b+xml"]))
    elif kind is DataKind.BINARY:
        event.data = draw(st.binary())
        event.datacontenttype = draw(st.sampled_from([None, "application/octet-stream", "image/png"]))
    else:
        event.datacontenttype = draw(st.sampled_from([None, "application/json", "text/plain"]))
    return event
