"""What is sent is what was taken: binary and structured mode carry the same event."""

import pytest
from hypothesis import given

from shared.core.cloudevents import (
    DataKind,
    Event,
    parse_batch,
    parse_structured,
    to_binary,
    to_json,
    to_structured,
)
from tests.unit.core.cloudevents.messages import events, sent


def canonical(event: Event) -> dict[str, str]:
    """The attributes as binary mode has them, where every value is a text."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in event.attributes().items()
    }


@pytest.mark.spec("H23", "H24", "J07", "J24", "C32")
@given(events())
def test_structured_mode_gives_back_the_same_event(event: Event) -> None:
    assert sent(to_structured(event)) == event
    assert parse_structured(to_json(event)) == event
    assert parse_batch(b"[" + to_json(event) + b"]") == [event]


@pytest.mark.spec("H10", "H11", "H14", "C08", "C26")
@given(events())
def test_binary_mode_gives_back_the_attributes_and_the_bytes(event: Event) -> None:
    again = sent(to_binary(event))
    expected = canonical(event)
    if event.data_kind is DataKind.JSON:
        expected.setdefault("datacontenttype", "application/json")
    assert canonical(again) == expected
    assert (again.data or b"") == (event.data or b"")


@pytest.mark.spec("H01", "J20")
@given(events())
def test_binary_to_structured_to_binary_changes_nothing(event: Event) -> None:
    first = sent(to_binary(event))
    assert sent(to_structured(first)) == first
    assert to_binary(sent(to_structured(first))) == to_binary(first)
