from collections.abc import Iterable
from typing import Any

import pytest

from functions.ingest.requests import Disconnected, credential, is_lenient, read_body
from shared.core.problems import Problem


def receiver(messages: Iterable[dict[str, Any]]) -> Any:
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


def chunk(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_in_pieces_is_put_together() -> None:
    receive = receiver([chunk(b"ab", more=True), chunk(b"", more=True), chunk(b"c", more=False)])
    assert await read_body(receive, None, 3, "It") == b"abc"


async def test_a_declared_length_past_the_limit_is_refused_unread() -> None:
    for declared in (b"4", b"9" * 30):
        with pytest.raises(Problem) as caught:
            await read_body(receiver([]), declared, 3, "It")
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
        await read_body(receiver(messages), b"3", 3, "It")
    assert caught.value.detail == "It may have at most 3 bytes."


async def test_a_client_that_goes_away_is_not_answered() -> None:
    with pytest.raises(Disconnected):
        await read_body(receiver([{"type": "http.disconnect"}]), None, 3, "It")
    with pytest.raises(Disconnected):
        await read_body(receiver([chunk(b"a", more=True), {"type": "http.disconnect"}]), None, 3, "It")


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
