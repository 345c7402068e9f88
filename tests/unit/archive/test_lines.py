"""What is archived comes back as it was, byte for byte."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.archive.lines import event_of, read_line, write_line
from shared.core.cloudevents import DataKind

UID = UUID("01942f6e-7c1a-7abc-9def-0123456789ab")

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True).filter(
    lambda name: name not in {"data", "id", "source", "type", "subject", "time", "specversion"}
)
VALUES = st.text(max_size=20) | st.booleans() | st.integers(-(2**31), 2**31 - 1)


def a_row(**members: Any) -> dict[str, Any]:
    return {
        "uid": UID,
        "data_kind": int(DataKind.NONE),
        "id": "e-1",
        "source": "/tests",
        "type": "com.example.tested",
        "specversion": "1.0",
        "subject": None,
        "time": None,
        "datacontenttype": None,
        "dataschema": None,
        "extensions": None,
        "data": None,
        "producer": "key:test",
        "facets": None,
        "schema_fault": None,
        **members,
    }


def there_and_back(row: dict[str, Any]) -> dict[str, Any]:
    text = write_line(row, "2026-11-01T10:00:00.000Z", [])
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    line = read_line(text)
    event = event_of(line)
    return {
        **{name: getattr(event, name) for name in row if hasattr(event, name) and name != "data_kind"},
        "uid": line.uid,
        "data_kind": line.kind,
        "extensions": event.extensions or None,
        "producer": line.producer,
        "facets": line.facets,
        "schema_fault": line.schema_fault,
    }


@pytest.mark.parametrize("version", ["1.0", "0.3"])
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (DataKind.NONE, None),
        (DataKind.JSON, b'{"a": 1.00, "b": [ 1,2 ]}'),
        (DataKind.JSON, b'{\n  "a": 1\r\n}\n'),
        (DataKind.JSON, b"null"),
        (DataKind.TEXT, "zwei\nZeilen \u2028 \u00e4".encode()),
        (DataKind.TEXT, b""),
        (DataKind.BINARY, bytes(range(256))),
        (DataKind.BINARY, b""),
        (9, b"of a version to come"),
    ],
)
def test_payloads_keep_their_bytes(version: str, kind: int, data: bytes | None) -> None:
    row = a_row(specversion=version, data_kind=int(kind), data=data)
    assert there_and_back(row) == row


@given(
    extensions=st.dictionaries(NAMES, VALUES, max_size=4),
    subject=st.none() | st.text(max_size=20),
    facets=st.none()
    | st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(0, 9), max_size=3),
    data=st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ).map(lambda value: msgspec.json.format(msgspec.json.encode(value), indent=1)),
)
def test_whatever_was_stored_comes_back(
    extensions: dict[str, Any], subject: str | None, facets: dict[str, Any] | None, data: bytes
) -> None:
    row = a_row(
        extensions=extensions or None, subject=subject, facets=facets, data=data, data_kind=int(DataKind.JSON)
    )
    assert there_and_back(row) == row
