"""The JSON batch format."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import (
    BatchReader,
    Event,
    InvalidEvent,
    OversizedBatch,
    OversizedEvent,
    parse_batch,
)
from shared.core.cloudevents.batch_format import STEP_BYTES
from shared.core.cloudevents.json_format import parse_object
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


TEXTS = st.sampled_from(
    [
        b'{"specversion":"1.0","id":"1","source":"/s","type":"t"}',
        b'{"specversion":"1.0","id":"2","source":"/s","type":"t","data":{"a":[{"b":1},{"c":"},{"}]}}',
        b'{"specversion":"1.0","id":"3","source":"/s","type":"t","data":"\xc3\xbc","partitionkey":"k"}',
        b'{"specversion":"1.0","id":"4","source":"/s","type":"t","n":5}',
        b'{ "specversion" : "1.0", "id":"5", "source":"/s","type":"t" , "data" : [ 1 ] }',
        b'{"specversion":"1.0","id":"6","source":"/s","type":"t","id":"7"}',
        b'{"specversion":"1.0","id":"8","source":"/s","type":"\\u0074","subject":"},{"}',
        b'{"specversion":"0.3","id":"9","source":"/s","type":"t"}',
        b'{"specversion":"1.0","id":"\x7f","source":"/s","type":"t"}',
        b"null",
        b"[{},{}]",
        b'"},{"',
    ]
)


def alone(text: bytes) -> Event | str:
    """What the long way says of one element."""
    try:
        return parse_object(text)
    except InvalidEvent as error:
        return error.detail


def shown(results: list[Event | InvalidEvent]) -> list[Event | str]:
    return [one if isinstance(one, Event) else one.detail for one in results]


@given(st.lists(TEXTS, max_size=40), st.lists(st.integers(1, 400), max_size=30))
def test_however_it_arrives_each_element_is_what_it_is_alone(texts: list[bytes], sizes: list[int]) -> None:
    body = b"[" + b",".join(texts) + b"]"
    reader = BatchReader(lenient=True)
    reader._wanted = 1  # every piece may end a step
    for size in sizes:
        reader.feed(body[:size])
        body = body[size:]
        reader._wanted = min(reader._wanted, 100)
    reader.feed(body)
    assert shown(reader.close()) == [alone(text) for text in texts]


@pytest.mark.parametrize("tail", [b"", b"}", b"]]", b",]", b",{}", b"] x", b'],{"a":1}]'])
@pytest.mark.parametrize("count", [1, 3_000])
def test_what_ends_wrong_is_no_batch_however_long_it_is(count: int, tail: bytes) -> None:
    text = b"[" + b",".join([json.dumps(MINIMAL).encode()] * count) + tail
    reader = BatchReader()
    for start in range(0, len(text), 4096):
        reader.feed(text[start : start + 4096])
    with pytest.raises(InvalidEvent):
        reader.close()


def test_elements_are_read_as_they_arrive() -> None:
    element = json.dumps(MINIMAL).encode() + b","
    reader = BatchReader()
    reader.feed(b"[" + element)
    for _ in range(100 * STEP_BYTES // len(element)):
        reader.feed(element)
        assert reader._gathered <= STEP_BYTES + len(element)
    assert len(reader.results) > 1_000


def test_text_without_an_end_in_sight_is_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    take = BatchReader._take

    def counted(reader: BatchReader, array: bytes) -> None:
        read.append(len(array))
        take(reader, array)

    monkeypatch.setattr(BatchReader, "_take", counted)
    reader = BatchReader()
    reader.feed(b'["')
    for _ in range(2_000):
        reader.feed(b"}," * 2_048)
    reader.feed(b'"]')
    assert len(reader.close()) == 1
    assert sum(read) < 3 * 2_000 * 4_096


def test_the_place_of_a_fault_is_that_in_the_whole_text() -> None:
    element = json.dumps(MINIMAL).encode() + b","
    count = 3 * STEP_BYTES // len(element)
    reader = BatchReader()
    for _ in range(count):
        reader.feed((b"" if reader._gathered or reader.results else b"[") + element)
    reader.feed(b"x]")
    with pytest.raises(InvalidEvent, match=rf"byte {1 + count * len(element)}\b"):
        reader.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 1000])
@pytest.mark.parametrize(
    "element",
    [b"1", b"{}", b'{"a":[1,2,3,4,5],"b":",,,,"}', b"[[],[],[],[]]", b'","', json.dumps(MINIMAL).encode()],
)
def test_a_batch_of_too_many_elements_is_not_read_on(element: bytes, count: int) -> None:
    reader = BatchReader(max_events=3)
    batch = b"[" + b" , ".join([element] * count) + b"]"
    if count > 3:
        with pytest.raises(OversizedBatch):
            _read(reader, batch)
    else:
        assert len(_read(reader, batch)) == count


def test_too_many_elements_are_noticed_over_several_steps() -> None:
    reader = BatchReader(max_events=5000)
    with pytest.raises(OversizedBatch):
        _read(reader, b"[" + b",".join([json.dumps(MINIMAL).encode()] * 5001) + b"]")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"a":1,"b":2,"c":3,"d":4}', b"[1,2,3,", b"[" * 9999, b",,,,,", b"1,2,3,4,5"]
)
def test_what_is_no_array_has_not_too_many_elements(body: bytes) -> None:
    with pytest.raises(InvalidEvent):
        _read(BatchReader(max_events=3), body)


@pytest.mark.parametrize("plain", [True, False])
def test_an_element_past_its_limit_is_not_read(plain: bool) -> None:
    small = json.dumps(MINIMAL, separators=(",", ":")).encode()
    neighbour = small if plain else small.replace(b'"id"', b'"\\u0069d"')
    large = small[:-1] + b',"subject":"%b"}' % (b"a" * len(neighbour))
    reader = BatchReader(max_bytes=len(neighbour))
    first, second, third = _read(reader, b"[%b,%b,%b]" % (neighbour, large, neighbour))
    assert isinstance(first, Event)
    assert isinstance(second, OversizedEvent)
    assert isinstance(third, Event)


def _read(reader: BatchReader, body: bytes) -> list[Event | InvalidEvent]:
    for start in range(0, len(body), 10_000):
        reader.feed(body[start : start + 10_000])
    return reader.close()
