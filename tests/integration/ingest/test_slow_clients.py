"""Clients that do not come to an end hold nothing up, and not for ever."""

import asyncio
import time
from collections.abc import Iterator
from threading import Event, Thread

import asyncpg
import pytest

from tests.integration.ingest.conftest import DATA, Post, serve, stored
from tests.support.projects import Project
from tests.support.wire import TIMEOUT_SECONDS, Wire, ask

HEAD_SECONDS = 0.4
BODY_SECONDS = 0.3


@pytest.fixture(scope="module")
def port(database_url: str, redis_url: str) -> Iterator[int]:
    with serve(
        database_url,
        redis_url,
        WEIR_HEAD_TIMEOUT_SECONDS=str(HEAD_SECONDS),
        WEIR_BODY_TIMEOUT_SECONDS=str(BODY_SECONDS),
    ) as served:
        yield served.port
    assert '"level":"error"' not in served.errors


def late(what: str) -> dict[str, object]:
    return {
        "type": "https://weir.dev/problems/request-timeout",
        "title": "The request did not come in time",
        "status": 408,
        "detail": f"The {what} of the request did not come in time.",
    }


class Trickle:
    """`with Trickle(wire, piece)` sends `piece` again and again until the connection ends."""

    def __init__(self, wire: Wire, piece: bytes) -> None:
        self._ended = Event()
        self._thread = Thread(target=self._send, args=(wire, piece))

    def _send(self, wire: Wire, piece: bytes) -> None:
        try:
            while not self._ended.wait(0.02):
                wire.send(piece)
        except OSError:
            pass  # closed by the server

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(TIMEOUT_SECONDS)


def test_a_connection_without_a_request_is_closed(port: int) -> None:
    started = time.monotonic()
    with Wire(port) as wire:
        assert wire.rest() == b""
    assert time.monotonic() - started >= HEAD_SECONDS * 0.9


@pytest.mark.parametrize("piece", [b"x", b"x: y\r\n"], ids=["bytes", "headers"])
async def test_a_head_that_trickles_is_408(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, piece: bytes
) -> None:
    head, _, _ = post().partition(b"\r\n\r\n")
    started = time.monotonic()
    with Wire(port) as wire:
        wire.send(head + b"\r\n")
        with Trickle(wire, piece):
            reply = wire.reply()
            assert wire.rest() == b""
    assert (reply.status_line, reply.document) == ("HTTP/1.1 408 Request Timeout", late("head"))
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.closes
    assert time.monotonic() - started >= HEAD_SECONDS * 0.9
    assert await stored(pool, project) == []


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("trickles", [False, True], ids=["stands still", "trickles"])
async def test_a_body_that_does_not_come_is_408(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, chunked: bool, trickles: bool
) -> None:
    if chunked:
        start = post(b"transfer-encoding: chunked", body=b"", framed=False) + b"7\r\n" + DATA
        piece = b"\r\n1\r\na"
    else:
        start = post(b"content-length: 1000", framed=False)
        piece = b"a"
    started = time.monotonic()
    with Wire(port) as wire:
        wire.send(start)
        if trickles:
            with Trickle(wire, piece):
                reply = wire.reply()
                assert wire.rest() == b""
        else:
            reply = wire.reply()
            assert wire.rest() == b""
    assert (reply.status_line, reply.document) == ("HTTP/1.1 408 Request Timeout", late("body"))
    assert reply.closes
    assert time.monotonic() - started >= BODY_SECONDS * 0.9
    assert await stored(pool, project) == []


async def test_a_body_that_is_awaited_after_100_continue_is_408(port: int, post: Post) -> None:
    with Wire(port) as wire:
        assert (
            wire.send(post(b"content-length: 7\r\nexpect: 100-continue", body=b"", framed=False))
            .reply()
            .status
            == 408
        )
    with Wire(port) as wire:
        wire.send(post(b"content-length: 7\r\nexpect: 100-continue", body=b"", framed=False))
        assert wire.send(DATA).reply().status == 202


async def test_a_body_that_comes_in_pieces_is_taken(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    """Time runs for each request anew, and none for a connection that is kept."""
    with Wire(port) as wire:
        for n in range(20):
            whole = post(identity=str(n))
            assert wire.send(*(whole[i : i + 40] for i in range(0, len(whole), 40))).reply().status == 202
            await asyncio.sleep((HEAD_SECONDS + BODY_SECONDS) / 10)  # the time is what this test is about
    assert len(await stored(pool, project)) == 20


async def test_a_kept_connection_may_rest_longer_than_a_head_takes(port: int, post: Post) -> None:
    with Wire(port) as wire:
        assert wire.send(post()).reply().status == 202
        await asyncio.sleep(HEAD_SECONDS * 1.5)  # the time is what this test is about
        assert wire.send(b"\r\n").send(post(identity="2")).reply().status == 202
        assert wire.send(post(identity="3")[:50]).reply().status == 408


async def test_a_refused_request_whose_body_never_ends_is_cut_off(port: int, post: Post) -> None:
    with Wire(port) as wire:
        reply = wire.send(post(b"authorization: x\r\ncontent-length: 1000000", framed=False)).reply()
        assert reply.status == 400
        with Trickle(wire, b"a"):
            assert wire.rest() == b""


async def test_the_answers_before_a_slow_request_are_given(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    with Wire(port) as wire:
        wire.send(post(identity="a") + post(identity="b") + post(b"content-length: 9", framed=False))
        assert [wire.reply().status for _ in range(3)] == [202, 202, 408]
        assert wire.rest() == b""
    assert {row["id"] for row in await stored(pool, project)} == {"a", "b"}


async def test_many_slow_clients_hold_nobody_up(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    slow = [Wire(port) for _ in range(300)]
    for n, wire in enumerate(slow):
        wire.send(post()[: 60 if n % 2 else -3])
    for n in range(20):
        assert ask(port, post(identity=str(n))).status == 202
    assert {wire.reply().status for wire in slow} == {408}
    for wire in slow:
        wire.__exit__()
    assert len(await stored(pool, project)) == 20
