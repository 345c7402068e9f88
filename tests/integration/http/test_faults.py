"""Servers that are broken, slow or hostile."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable

import pytest
from yarl import URL

from shared.http.client import Answer, NoAnswer, OutboundClient
from shared.http.connection import HEADERS
from tests.integration.http.conftest import RawServer

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def post(client: OutboundClient, url: URL, body: bytes = b"", seconds: float = 5) -> Answer:
    return await client.post(url, [("a", "b")], body, timeout_seconds=seconds, body_bytes=100)


@pytest.mark.parametrize(
    ("answer", "status", "body", "truncated"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, b"", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b"", False),
        (b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", 200, b"ok", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nt: u\r\n\r\n", 200, b"ok", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, 200, b"ok", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + b"x" * 300, 200, b"x" * 100, True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n" + b"x" * 300, 200, b"x" * 100, True),
        (b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nabc", 101, b"", False),
    ],
)  # fmt: skip
async def test_answers(
    client: OutboundClient, raw: RawServer, answer: bytes, status: int, body: bytes, truncated: bool
) -> None:
    url = await raw.answers(answer)
    found = await post(client, url)
    assert (found.status, found.body, found.truncated) == (status, body, truncated)
    assert found.header(b"t") is None
    assert found.header(b"link") is None


@pytest.mark.parametrize("head", [b"", b"connection: close\r\n", b"transfer-encoding: gzip\r\n"])
async def test_a_body_that_ends_with_the_connection(
    client: OutboundClient, raw: RawServer, head: bytes
) -> None:
    url = await raw.answers(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nall of it", then_close=True)
    assert (await post(client, url)).body == b"all of it"
    assert (await post(client, url)).body == b"all of it"
    assert raw.connections == 2


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "the connection was closed without an answer"),
        (b"HTT", "the connection was closed without an answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "the answer's body broke off"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", "the answer's body broke off"),
        (b"rubbish\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na", "the answer is not HTTP"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "the answer is not HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (HEADERS + 1) + b"\r\n", "the answer's head is longer"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 40_000 + b"\r\n\r\n", "the answer's head is longer"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "the answer is not HTTP"),
    ],
)
async def test_what_is_no_answer(client: OutboundClient, raw: RawServer, answer: bytes, why: str) -> None:
    url = await raw.answers(answer, then_close=True)
    with pytest.raises(NoAnswer) as caught:
        await post(client, url)
    assert str(caught.value).startswith(why)
    assert len(raw.requests) == 1  # a POST is sent once


def endless(piece: bytes, start: bytes = b"") -> Callable[[RawServer], Awaitable[URL]]:
    async def serve(raw: RawServer) -> URL:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await raw.request(reader)
            writer.write(start)
            while True:
                writer.write(piece)
                await writer.drain()

        return await raw(script)

    return serve


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (endless(b"a: bcdefgh\r\n" * 100, b"HTTP/1.1 200 OK\r\n"), "the answer's head is longer"),
        (endless(b"b" * 10_000, b"HTTP/1.1 200 OK\r\na: "), "the answer's head is longer"),
        (endless(b"O" * 10_000, b"HTTP/1.1 200 "), "the answer's head is longer"),
        (endless(b"HTTP/1.1 102 Processing\r\n\r\n" * 100), "the answer's head is longer"),
        (endless(b"a: bcdefgh\r\n" * 100, CHUNKED + b"0\r\n"), "the answer is too long for its body"),
        (endless(b"x" * 10_000, CHUNKED + b"1;"), "the answer is too long for its body"),
    ],
)
async def test_what_never_ends(
    client: OutboundClient, raw: RawServer, serve: Callable[[RawServer], Awaitable[URL]], why: str
) -> None:
    url = await serve(raw)
    with pytest.raises(NoAnswer) as caught:
        await post(client, url, seconds=30)
    assert str(caught.value).startswith(why)


async def test_an_endless_body_is_read_to_the_limit(client: OutboundClient, raw: RawServer) -> None:
    url = await endless(b"x" * 100_000, b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")(raw)
    answer = await post(client, url)
    assert (answer.body, answer.truncated) == (b"x" * 100, True)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n"])
async def test_a_byte_now_and_then_does_not_buy_time(
    client: OutboundClient, raw: RawServer, start: bytes
) -> None:
    answer = start + b"HTTP/1.1 200 OK\r\na: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            await raw.request(reader)
            writer.write(OK)
            await raw.request(reader)
            sent = 0
            for byte in answer:
                if writer.is_closing():
                    return
                sent += 1
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)

    url = await raw(script)
    await post(client, url)
    for _ in range(2):  # on a connection that was used before, and on a new one
        with pytest.raises(NoAnswer, match=r"no answer within 0\.3 s"):
            await post(client, url, seconds=0.3)
        assert 0 < sent < len(answer)
        await post(client, url)


async def test_a_reset(client: OutboundClient, raw: RawServer) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await raw.request(reader)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    url = await raw(script)
    with pytest.raises(NoAnswer, match="the connection was reset"):
        await post(client, url)


async def test_an_answer_before_the_request_is_whole(client: OutboundClient, raw: RawServer) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(60)  # and never reads on

    url = await raw(script)
    for _ in range(2):
        answer = await post(client, url, b"x" * 20_000_000)
        assert (answer.status, answer.body) == (413, b"no")
    assert raw.connections == 2  # half a request is on the first


async def test_connections_are_used_again(client: OutboundClient, raw: RawServer) -> None:
    url = await raw.answers(*[OK] * 10)
    first = await post(client, url)
    assert first.timings.connect_us is not None
    for _ in range(9):
        again = await post(client, url)
        assert again.timings.connect_us is None
        assert again.timings.first_byte_us is not None
        assert again.timings.body_us is not None
        assert again.address == first.address
    assert raw.connections == 1


@pytest.mark.parametrize(
    "answer", [OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), OK.replace(b"1.1", b"1.0")]
)
async def test_a_server_that_will_close_is_asked_no_more(
    client: OutboundClient, raw: RawServer, answer: bytes
) -> None:
    url = await raw.answers(answer, OK)
    await post(client, url)
    await post(client, url)
    assert raw.connections == 2


async def test_a_connection_that_was_closed_meanwhile_costs_nothing(
    client: OutboundClient, raw: RawServer
) -> None:
    url = await raw.answers(OK, then_close=True)
    for _ in range(5):
        assert (await post(client, url)).status == 200
        # Busy for longer than the look before use allows, without a turn of the loop to see the end in.
        time.sleep(0.06)  # noqa: ASYNC251
    assert raw.connections == 5


async def test_a_close_that_crosses_the_request(client: OutboundClient, raw: RawServer) -> None:
    """A POST may have been acted on, so it is told; a GET is simply asked again."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.requests.append(await raw.request(reader))
        writer.write(OK)
        raw.requests.append(await raw.request(reader))

    url = await raw(script)
    await post(client, url)
    with pytest.raises(NoAnswer, match="closed without an answer"):
        await post(client, url)
    assert len(raw.requests) == 2
    await post(client, url)
    assert (await client.get(url, timeout_seconds=5)).status == 200
    assert len(raw.requests) == 5


async def test_what_nobody_asked_for_is_no_answer(client: OutboundClient, raw: RawServer) -> None:
    url = await raw.answers(OK + b"HTTP/1.1 500 Not yours\r\ncontent-length: 0\r\n\r\n", OK)
    assert [(await post(client, url)).status for _ in range(3)] == [200, 200, 200]
    assert raw.connections == 3


async def test_a_cancelled_request_leaves_no_connection_behind(
    client: OutboundClient, raw: RawServer
) -> None:
    came = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await raw.request(reader)
        came.set()
        await reader.read()
        writer.write(b"never read")

    url = await raw(script)
    task = asyncio.create_task(post(client, url))
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client._pool.open == 0
