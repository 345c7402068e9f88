"""The JSON batch format."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import Event, InvalidEvent, parse_batch
from tests.unit.core.cloudevents.messages import MINIMAL

OLD = MINIMAL | {"specversion": "0.3"}
NAMELESS = {"specversion": "1.0", "type": "t", "source": "/s"}


def verdicts(batch: Any, *, lenient: bool = False) -> list[str | None]:
    """For each element the pointer of what is wrong with it, None for an event."""
    return [
        element.pointer if isinstance(element, InvalidEvent) else None
        for element in parse_batch(json.dumps(batch).encode(), lenient)
    ]


@pytest.mark.spec("H27", "J21")
def test_a_batch_may_be_empty() -> None:
    assert parse_batch(b" [ ] ") == []


@pytest.mark.spec("J21", "C39")
def test_events_keep_their_places_and_their_data() -> None:
    events = parse_batch(
        b'[%b,{"data": [1 ], "specversion":"1.0","id":"2","source":"a","type":"b"}]'
        % json.dumps(MINIMAL).encode()
    )
    assert [isinstance(event, Event) and (event.id, event.data) for event in events] == [
        ("minimal", None),
        ("2", b"[1 ]"),
    ]


@pytest.mark.spec("H28", "J21")
@pytest.mark.parametrize("lenient", [False, True])
def test_a_bad_element_is_told_in_its_place(lenient: bool) -> None:
    batch = [MINIMAL, NAMELESS, "not an object", 5, None, [], MINIMAL | {"time": "noon"}, MINIMAL]
    assert verdicts(batch, lenient=lenient) == [None, "/id", "", "", "", "", "/time", None]


@pytest.mark.spec("C38")
def test_one_batch_has_one_version_unless_lenient() -> None:
    batch = [NAMELESS, OLD, MINIMAL, OLD]
    assert verdicts(batch) == ["/id", None, "/specversion", None]
    assert verdicts(batch, lenient=True) == ["/id", None, None, None]


@pytest.mark.spec("C03")
def test_a_repeated_member_spoils_its_own_element_alone() -> None:
    good = json.dumps(MINIMAL).encode()
    first, second = parse_batch(b"[" + good[:-1] + b',"id":"x"},' + good + b"]")
    assert isinstance(first, InvalidEvent)
    assert isinstance(second, Event)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b'"a"', b"[", b"[1,]", b"[NaN]", b'["\xff"]', b"[" * 100_000]
)
def test_what_is_no_json_array_is_no_batch(body: bytes) -> None:
    with pytest.raises(InvalidEvent):
        parse_batch(body)


@given(st.lists(st.sampled_from([MINIMAL, OLD, NAMELESS, 1, "a", {}, None]), max_size=5), st.booleans())
def test_there_is_one_verdict_for_each_element(batch: list[Any], lenient: bool) -> None:
    assert len(verdicts(batch, lenient=lenient)) == len(batch)
