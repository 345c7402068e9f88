from collections.abc import Iterable
from typing import Any

import pytest

from functions.ingest.requests import (
    Disconnected,
    credential,
    is_lenient,
    query_token,
    read_body,
    read_chunks,
)
from functions.ingest.room import Room
from shared.core.problems import Problem

MIB = 1024 * 1024


def receiver(messages: Iterable[dict[str, Any]]) -> Any:
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


def chunk(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_is_put_together() -> None:
    receive = receiver([chunk(b"ab", more=True), chunk(b"", more=True), chunk(b"c", more=False)])
    assert await read_body(receive, None, 3, "It", Room(MIB)) == b"abc"


async def test_a_declared_length_past_the_limit_is_refused_unread() -> None:
    for declared in (b"4", b"9" * 30):
        with pytest.raises(Problem) as caught:
            await read_body(receiver([]), declared, 3, "It", Room(MIB))
        assert caught.value.kind.status == 413


@pytest.mark.parametrize(
    "messages",
    [
        [chunk(b"abcd", more=False)],
        [chunk(b"ab", more=True), chunk(b"cd", more=False)],
        [chunk(b"abcd", more=True)],
    ],
)
async def test_a_body_past_the_limit_is_refused(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(Problem) as caught:
        await read_body(receiver(messages), b"3", 3, "It", Room(MIB))
    assert caught.value.detail == "It may have at most 3 bytes."


async def test_a_client_that_goes_away_is_not_answered() -> None:
    with pytest.raises(Disconnected):
        await read_body(receiver([{"type": "http.disconnect"}]), None, 3, "It", Room(MIB))
    with pytest.raises(Disconnected):
        await read_body(
            receiver([chunk(b"a", more=True), {"type": "http.disconnect"}]), None, 3, "It", Room(MIB)
        )


async def test_bodies_share_the_room_and_leave_it_when_they_are_read() -> None:
    room = Room(10)
    pieces = [chunk(b"abcd", more=True), chunk(b"ef", more=False)]
    with room.place() as place:
        assert [c async for c in read_chunks(receiver(pieces), None, 9, "It", place)] == [b"abcd", b"ef"]
        with pytest.raises(Problem) as caught:
            await read_body(receiver(pieces), None, 9, "It", room)
        assert caught.value.kind.status == 503
        assert caught.value.headers == {"Retry-After": "1"}
    assert await read_body(receiver(pieces), None, 9, "It", room) == b"abcdef"


def test_the_first_handling_counts() -> None:
    assert is_lenient([b"handling=lenient"])
    assert is_lenient([b"wait=10", b'x, HANDLING = "Lenient"; a=b'])
    assert not is_lenient([])
    assert not is_lenient([b"handling=strict", b"handling=lenient"])


def test_one_credential_is_allowed() -> None:
    assert credential([(b"host", b"x")]) is None
    assert credential([(b"authorization", b"Bearer a")]) == "Bearer a"
    with pytest.raises(Problem):
        credential([(b"authorization", b"a"), (b"authorization", b"a")])


@pytest.mark.spec("W14b")
@pytest.mark.parametrize(
    ("query", "token"),
    [
        (b"access_token=a.b-c_d", "a.b-c_d"),
        (b"x=1&access_token=a%2Bb+c&y", "a+b c"),
        (b"access_token", ""),
        (b"xaccess_token=a&access_tokens=b", None),
        (b"a=access_token=b", None),
        (b"", None),
    ],
)
def test_the_query_may_have_the_credential(query: bytes, token: str | None) -> None:
    assert query_token(query) == token
    assert credential([(b"host", b"x")], query) == (None if token is None else f"Bearer {token}")


@pytest.mark.parametrize("query", [b"access_token=a", b"access_token=", b"x&access_token=a&access_token=a"])
def test_a_credential_in_two_places_is_refused(query: bytes) -> None:
    with pytest.raises(Problem) as caught:
        credential([(b"authorization", b"Bearer a")], query)
    assert caught.value.kind.slug == "malformed"
    with pytest.raises(Problem):
        credential([], query + b"&access_token=b")
