"""What a reader gets, what it does not, and that it is told."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from functions.live import reader as module
from functions.live.entry import Entry
from functions.live.position import Position
from functions.live.reader import Reader

SECOND = 1_790_000_000


def entry(number: int, *, second: int = 0, size: int = 2) -> Entry:
    """The event of that number, received in that second."""
    ms = (SECOND + second) * 1000 + number
    uid = UUID(int=(ms << 80) | (7 << 76) | (2 << 62) | number)
    data = b'"' + b"x" * (size - 2) + b'"'
    row: dict[str, Any] = {
        "xid": 1000 + number,
        "uid": uid,
        "specversion": "1.0",
        "id": str(number),
        "source": "/s",
        "type": "t",
        "subject": None,
        "time": None,
        "datacontenttype": "application/json",
        "dataschema": None,
        "extensions": None,
        "producer": None,
        "facets": None,
        "schema_fault": None,
        "data_kind": 1,
        "data": data,
        "data_size": len(data),
    }
    return Entry(row)  # type: ignore[arg-type]  # a row is asked by names alone


def told(piece: bytes) -> Iterator[tuple[str, Any]]:
    """Kinds and data of the messages in a piece: an event by its number."""
    for text in piece.decode().split("\n\n"):
        if not text:
            continue
        fields = dict(line.split(": ", 1) for line in text.split("\n"))
        data = json.loads(fields["data"])
        kind = fields.get("event", "message")
        yield kind, int(data["event"]["id"]) if kind == "message" else data


def test_of_a_second_no_more_than_the_limit_is_sent_and_the_rest_told_in_its_place() -> None:
    reader = Reader(rate_per_second=2)
    for number in range(5):
        reader.offer(entry(number))
    reader.offer(entry(5, second=1))
    messages = list(told(reader.take()))
    assert [data for kind, data in messages if kind == "message"] == [0, 1, 5]
    assert [kind for kind, _ in messages] == ["message", "message", "dropped", "message"]
    assert messages[2][1]["count"] == 3
    assert messages[2][1]["limit"] == 2


def test_what_was_dropped_last_is_told_once_its_second_is_over() -> None:
    reader = Reader(rate_per_second=1)
    for number in range(3):
        reader.offer(entry(number))
    reader.reach(Position(2000, UUID(int=0)), SECOND * 1000 + 500)
    assert [kind for kind, _ in told(reader.take())] == ["message"]
    reader.reach(Position(2000, UUID(int=0)), SECOND * 1000 + 1000)
    [(kind, data)] = told(reader.take())
    assert (kind, data["count"]) == ("dropped", 2)


def test_a_reader_that_takes_nothing_holds_a_bounded_amount() -> None:
    reader = Reader()
    for number in range(5_000):
        reader.offer(entry(number, second=number // 1000, size=2_000))
    assert reader.waiting_bytes < module.QUEUE_BYTES + 4_000
    shown = [data for kind, data in told(reader.take()) if kind == "message"]
    assert shown == list(range(len(shown)))
    reader.offer(entry(5_000, second=5))
    messages = list(told(reader.take()))
    assert [kind for kind, _ in messages] == ["dropped", "message"]
    assert messages[0][1]["count"] == 5_000 - len(shown)
    assert messages[0][1]["reason"] == "slow"


async def test_what_waits_is_put_together_a_piece_at_a_time() -> None:
    """What waits is the same for all who want it, a piece is a copy of one reader's."""
    reader = Reader()
    for number in range(40):
        reader.offer(entry(number, size=10_000))
    seen = []
    while reader.waiting_bytes:
        piece = await reader.next(30)
        assert len(piece) < module.PIECE_BYTES + 11_000
        seen += [number for _, number in told(piece)]
    assert seen == list(range(40))


def test_an_event_larger_than_what_may_wait_is_sent_all_the_same() -> None:
    reader = Reader()
    reader.offer(entry(1, size=module.QUEUE_BYTES + 1))
    assert [data for _, data in told(reader.take())] == [1]


def test_what_comes_while_it_catches_up_waits_and_nothing_comes_twice() -> None:
    reader = Reader()
    reader.hold()
    for number in (3, 4):
        reader.offer(entry(number))
    for number in (1, 2, 3):
        reader.offer(entry(number), waits=True)
    assert [data for _, data in told(reader.take())] == [1, 2, 3]
    reader.release()
    assert [data for _, data in told(reader.take())] == [4]


def test_whoever_waits_for_it_may_offer_as_much_as_there_is() -> None:
    reader = Reader()
    for number in range(module.QUEUE_EVENTS + 10):
        reader.offer(entry(number), waits=True)
    assert len(list(told(reader.take()))) == module.QUEUE_EVENTS + 10


async def test_after_the_end_nothing_is_sent() -> None:
    reader = Reader()
    reader.offer(entry(1))
    reader.end("restart")
    reader.offer(entry(2))
    reader.end("time")
    assert not reader.ended
    assert [kind for kind, _ in told(await reader.next(0.01))] == ["message", "end"]
    assert reader.ended


async def test_a_beat_does_not_move_past_what_was_dropped_and_not_told() -> None:
    reader = Reader(rate_per_second=1)
    reader.offer(entry(1))
    reader.offer(entry(2))
    reader.reach(Position(3000, UUID(int=0)), SECOND * 1000)
    await reader.next(0.01)
    assert b"id:" not in await reader.next(0.01)
    reader.reach(Position(3000, UUID(int=0)), (SECOND + 1) * 1000)
    assert b"event: dropped" in await reader.next(0.01)
    assert b"id: 3000-" in await reader.next(0.01)


@pytest.mark.parametrize("data", [b'{\n"a":1}', b'{\r\n"a":1}', b'{\r"a":1}'])
def test_lines_of_data_stay_in_the_message(data: bytes) -> None:
    from functions.live.frames import message

    assert message(None, "1", data) == b'id: 1\ndata: {\ndata: "a":1}\n\n'
