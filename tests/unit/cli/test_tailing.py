"""What the stream says is read as it was meant, however it is cut."""

import pytest

from cli.forwarding import Target
from cli.tailing import Message, dropped_text, messages, query_of

STREAM = (
    b"retry: 1000\n\n"
    b": still here\nid: 1-a\n\n"
    b'id: 2-b\ndata: {"a":\ndata: "\xc3\xa9"}\n\n'
    b'event: dropped\nid: 3-c\ndata: {"count":1}\n\n'
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_messages_are_found_wherever_the_stream_is_cut(size: int) -> None:
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert list(messages(pieces)) == [
        Message("at", "1-a", ""),
        Message("message", "2-b", '{"a":\n"é"}'),
        Message("dropped", "3-c", '{"count":1}'),
    ]


def test_what_is_cut_off_is_no_message() -> None:
    assert list(messages([b"id: 1\ndata: {}\n"])) == []


def query(sql: str | None = None, type_: str | None = None) -> dict[str, object]:
    return query_of(sql, cel=None, type_=type_, source=None, subject=None, facet=())


def test_a_type_with_a_star_is_a_part_of_it() -> None:
    assert query(type_="order.paid")["type"] == "order.paid"
    starred = query(type_="order_v1.*'")
    assert starred["type"] is None
    assert starred["sql"] == r"type LIKE 'order\_v1.%\''"
    assert query("subject = 'a' OR subject = 'b'", "order.*")["sql"] == (
        "(subject = 'a' OR subject = 'b') AND type LIKE 'order.%'"
    )


def test_what_was_dropped_is_said_with_its_reason() -> None:
    assert "3 dropped here, over the limit of 25/s" in dropped_text(
        {"count": 3, "reason": "rate", "limit": 25}
    )
    assert "too slow" in dropped_text({"count": 3, "reason": "slow"})
    past = {"count": None, "reason": "past", "until": "2026-11-28T10:00:00Z"}
    assert "before 10:00:00.000" in dropped_text(past)


def test_an_address_without_a_scheme_is_one_of_http() -> None:
    target = Target.of("localhost:3000/hook?a=1")
    assert (target.secure, target.host, target.port, target.path) == (False, "localhost", 3000, "/hook?a=1")
    assert Target.of("https://localhost").path == "/"
    with pytest.raises(ValueError, match="no address"):
        Target.of("ftp://localhost")
