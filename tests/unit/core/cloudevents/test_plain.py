"""The short way and the long way never differ: the short one answers what the long one would, or nothing."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import Event, InvalidEvent
from shared.core.cloudevents.json_format import parse_object
from shared.core.cloudevents.plain import read_one, read_several

NAMES = st.sampled_from(
    [
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "traceparent",
        "tracestate", "partitionkey", "correlationid", "n", "own", "data_base64", "Bad", "", "da ta",
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [
            '"1.0"', '"0.3"', '"/s"', '"a b"', '"2026-02-28T00:00:00Z"', '"text/plain"', '"application/json"', '""',
            "null", "true", "5", "1.5", "-0", "2147483648", "{}", '"\\u0041"', '"\\u0020"', '"ü"', '"\x7f"', '"\\n"',
        ]
    ),
    st.text(max_size=8).map(json.dumps),
)  # fmt: skip
DATA = st.sampled_from(
    ["{}", '{"a" : [1, 2]}', '"text"', '" a "', "null", "[]", "1e400", '"\x7f"', '"ü  "', "{ }"]
)
SPACE = st.sampled_from(["", "", "", " ", "  ", "\t", "\n", "\r"])
BASE = [("specversion", '"1.0"'), ("id", '"1"'), ("source", '"/s"'), ("type", '"t"')]


@st.composite
def texts(draw: Any) -> bytes:
    """An event in JSON, good or bad: members dropped, repeated, reordered, spaced, escaped."""
    members = [pair for pair in BASE if draw(st.integers(0, 30))]
    members += draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    if draw(st.booleans()):
        members.append(("data", draw(DATA)))
    if members and not draw(st.integers(0, 5)):
        members.append(draw(st.sampled_from(members)))
    members = draw(st.permutations(members))
    style = draw(st.sampled_from(["compact", "spaced", "wild"]))
    if style == "wild":
        pieces = [
            f"{draw(SPACE)}{json.dumps(name)}{draw(SPACE)}:{draw(SPACE)}{value}{draw(SPACE)}"
            for name, value in members
        ]
        return ("{" + ",".join(pieces) + "}").encode()
    comma, colon = (",", ":") if style == "compact" else (", ", ": ")
    return ("{" + comma.join(f"{json.dumps(name)}{colon}{value}" for name, value in members) + "}").encode()


def judged(text: bytes) -> Event | None:
    try:
        return parse_object(text)
    except InvalidEvent:
        return None


@given(texts())
def test_what_the_short_way_reads_the_long_way_reads_alike(text: bytes) -> None:
    found = read_one(text)
    assert found is None or found == judged(text)


@given(st.lists(texts(), max_size=4), st.booleans())
def test_so_it_is_with_several(elements: list[bytes], opened: bool) -> None:
    array = b"[" + b",".join([b"null"] * opened + elements) + b"]"
    found = read_several(array, int(opened))
    if found is not None:
        assert len(found) == len(elements)
        for one, text in zip(found, elements, strict=True):
            assert one == (text.strip() if isinstance(one, bytes) else judged(text))


@pytest.mark.parametrize(
    "text",
    [
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t"}',
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":"\xc3\xbc"}}',
        b'{"specversion": "1.0", "id": "1 2", "source": "/s", "type": "t", "data": {"a": [1, 2]}}',
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","own":"x","n":5,"yes":true,"partitionkey":"k"}',
        b'{"data":[1, 2],"own":"a b","specversion": "1.0","id":"1","source":"/s","type":"t"}',
    ],
)
def test_what_most_senders_write_is_plain(text: bytes) -> None:
    assert read_one(text) == parse_object(text)
    assert read_one(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","id":"2"}',
        b'{"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "id": "2"}',
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","own":"x","own":"y"}',
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":1,"data_base64":"AA=="}',
        b'{"specversion":"1.0","id":"\x7f","source":"/s","type":"t"}',
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"\xff"}',
    ],
)
def test_what_breaks_a_rule_is_never_plain(text: bytes) -> None:
    assert read_one(text) is None
    with pytest.raises(InvalidEvent):
        parse_object(text)
