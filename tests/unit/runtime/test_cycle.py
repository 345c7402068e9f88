"""An answer goes out in as few pieces as it is made of, and as HTTP."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from shared.runtime.cycle import LINES, Cycle, _lines


class Wire(asyncio.Transport):
    """The rim: takes what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.pieces.append(b"closed")

    def is_closing(self) -> bool:
        return b"closed" in self.pieces


class Answer:
    """A cycle on a wire."""

    def __init__(self, method: str = "GET", *, keep_alive: bool = True) -> None:
        self.wire = Wire()
        self.ended = 0
        logger = logging.getLogger("tests.cycle")
        self.cycle = Cycle(
            scope={"type": "http", "method": method},  # type: ignore[typeddict-item]
            transport=self.wire,
            flow=FlowControl(self.wire),
            logger=logger,
            access_logger=logger,
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self._end,
        )

    def _end(self) -> None:
        self.ended += 1

    async def start(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        await self.cycle.send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def body(self, data: bytes, *, more: bool = False) -> None:
        await self.cycle.send({"type": "http.response.body", "body": data, "more_body": more})


HEAD = b"HTTP/1.1 200 OK\r\ndate: today\r\n"


async def test_head_and_body_are_one_write() -> None:
    answer = Answer()
    await answer.start(200, (b"Content-Length", b"9"))
    assert answer.wire.pieces == []
    await answer.body(b"body", more=True)
    assert answer.wire.pieces == [HEAD + b"content-length: 9\r\n\r\nbody"]
    assert not answer.ended
    await answer.body(b" more")
    assert answer.wire.pieces[1:] == [b" more"]
    assert answer.ended == 1


async def test_a_head_does_not_wait_for_a_body_that_may_come_later() -> None:
    answer = Answer()
    await answer.start(200)
    assert answer.wire.pieces == [HEAD + b"transfer-encoding: chunked\r\n\r\n"]
    await answer.body(b"data", more=True)
    await answer.body(b"")
    assert answer.wire.pieces[1:] == [b"4\r\ndata\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("status", [200, 204, 304])
async def test_an_answer_without_a_body(status: int) -> None:
    answer = Answer()
    await answer.start(status, *([(b"content-length", b"0")] if status == 200 else []))
    await answer.body(b"")
    assert b"".join(answer.wire.pieces).endswith(b"\r\n\r\n")
    assert b"chunked" not in answer.wire.pieces[0]
    assert answer.ended == 1


async def test_what_head_asks_for_has_a_length_and_no_body() -> None:
    answer = Answer("HEAD")
    await answer.start(200, (b"content-length", b"4"))
    await answer.body(b"body")
    assert answer.wire.pieces == [HEAD + b"content-length: 4\r\n\r\n"]
    assert answer.ended == 1


@pytest.mark.parametrize("headers", [(), ((b"connection", b"keep-alive, Close"),)])
async def test_the_last_answer_of_a_connection_says_so(headers: tuple[Any, ...]) -> None:
    answer = Answer(keep_alive=bool(headers))
    await answer.start(200, (b"content-length", b"2"), *headers)
    await answer.body(b"ok")
    assert answer.wire.pieces[0].lower().count(b"close\r\n") == 1
    assert answer.wire.pieces[-1] == b"closed"


@pytest.mark.parametrize(
    "header",
    [(b"x-a", b"b\r\nx-c: d"), (b"x a", b"b"), (b"x-a\r\nx-b", b"c"), (b"", b"b"), (b"x-a", b"\x00")],
)
async def test_a_header_cannot_become_two(header: tuple[bytes, bytes]) -> None:
    answer = Answer()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="header"):
            await answer.start(200, header)
    assert answer.wire.pieces == []
    assert not answer.cycle.response_started


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"x-a", b"b\nc")],
        [(b"transfer-encoding", b"chunked"), (b"x-a", b"b\nc")],
        [(b"connection", b"close"), (b"content-length", b"five")],
    ],
)
async def test_whoever_asked_is_told_of_a_head_that_cannot_be_written(
    headers: list[tuple[bytes, bytes]],
) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    answer = Answer()
    await answer.cycle.run_asgi(app)
    written = b"".join(answer.wire.pieces)
    assert written.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert written.endswith(b"\r\n\r\nInternal Server Errorclosed")
    assert answer.ended == 1


@pytest.mark.parametrize("body", [b"", b"three"])
async def test_a_body_of_another_length_than_was_said_is_a_mistake(body: bytes) -> None:
    answer = Answer()
    await answer.start(200, (b"content-length", b"4"))
    with pytest.raises(RuntimeError, match="Content-Length"):
        await answer.body(body)
    assert not answer.ended


async def test_only_the_start_starts() -> None:
    answer = Answer()
    with pytest.raises(RuntimeError, match=r"http\.response\.start"):
        await answer.body(b"")
    await answer.start(200, (b"content-length", b"4"))
    with pytest.raises(RuntimeError):
        await answer.start(200)


async def test_nobody_is_answered_who_went_away() -> None:
    answer = Answer()
    answer.cycle.disconnected = True
    await answer.start(200)
    await answer.body(b"")
    assert answer.wire.pieces == []


async def test_many_different_headers_are_not_kept_for_ever() -> None:
    answer = Answer()
    for number in range(10_000):
        answer.cycle.response_started = False
        await answer.start(200, (b"etag", b"%d" % number), (b"date", b"%d" % number))
        assert b"etag: %d\r\ndate: %d\r\n" % (number, number) in answer.wire.pieces[-1]
        assert len(_lines) <= LINES


async def test_a_cookie_is_not_kept() -> None:
    answer = Answer()
    await answer.start(200, (b"set-cookie", b"session=of-somebody"))
    assert b"set-cookie: session=of-somebody\r\n" in answer.wire.pieces[-1]
    assert not any(b"of-somebody" in line for line in _lines.values())
