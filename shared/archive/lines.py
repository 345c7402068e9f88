"""One archived event: a line of JSON that others can read too, and from which the row comes back as it was."""

import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from shared.core.cloudevents import DataKind, Event


class Line(msgspec.Struct, rename="camel", omit_defaults=True):
    """What is kept of an event. `event` is the CloudEvent in its JSON format, `deliveries` what became of it.

    `kind` is the kind of its data (`DataKind`). Payloads keep their bytes: one that cannot stand in a line as it is
    stands in `data_base64`.
    """

    uid: UUID
    received_at: str
    event: msgspec.Raw
    kind: int = DataKind.JSON
    producer: str | None = None
    facets: dict[str, Any] | None = None
    schema_fault: str | None = None
    deliveries: list[dict[str, Any]] = msgspec.field(default_factory=list)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder().decode

_FIELDS = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")


def write_line(row: Mapping[str, Any], received_at: str, deliveries: Sequence[dict[str, Any]]) -> bytes:
    """The line of a row of `events`, with its end."""
    document: dict[str, Any] = {name: row[name] for name in _FIELDS if row[name] is not None}
    document.update(row["extensions"] or {})
    if row["data"] is not None:
        name, value = _written(row["data"], row["data_kind"])
        document[name] = value
    line = Line(
        uid=row["uid"],
        received_at=received_at,
        event=msgspec.Raw(_encode(document)),
        kind=row["data_kind"],
        producer=row["producer"],
        facets=row["facets"],
        schema_fault=row["schema_fault"],
        deliveries=list(deliveries),
    )
    return _encode(line) + b"\n"


def _written(data: bytes, kind: int) -> tuple[str, Any]:
    # In JSON a line end is white space, but white space is the sender's too.
    if kind == DataKind.JSON and b"\n" not in data and b"\r" not in data:
        return "data", msgspec.Raw(data)
    if kind == DataKind.TEXT:
        try:
            return "data", data.decode()
        except UnicodeDecodeError:
            pass
    return "data_base64", data


def read_line(text: bytes) -> Line:
    """The line in `text`. Raises msgspec.DecodeError."""
    return _decode(text)


def event_of(line: Line) -> Event:
    """The CloudEvent of a line, as it was stored: what was let in then is not judged again.

    Data of a kind that this version does not know counts as bytes; `line.kind` still says which it is.
    """
    members = _members(line.event)
    data, encoded = members.pop("data", None), members.pop("data_base64", None)
    said: dict[str, Any] = {name: _value(value) for name, value in members.items()}
    fields = {name: said.pop(name) for name in _FIELDS if name in said}
    event = Event(**fields, extensions=said)
    if encoded is not None:
        event.data = binascii.a2b_base64(_value(encoded))
    elif data is not None:
        event.data = _value(data).encode() if line.kind == DataKind.TEXT else bytes(data)
    known = line.kind in DataKind.__members__.values()
    event.data_kind = DataKind(line.kind) if known else DataKind.BINARY
    return event
