"""The outbound client against a real receiver."""

import asyncio

import pytest
from yarl import URL

from shared.http.client import NoAnswer, OutboundClient
from shared.http.reasons import reason
from tests.support.sink import Sink

SECONDS = 30.0


async def test_nothing_is_added_to_what_is_sent(client: OutboundClient, sink: Sink) -> None:
    await client.post(URL(sink.url), [("a", "b")], b"hello", timeout_seconds=SECONDS)
    (request,) = sink.requests
    assert {name.lower() for name, _ in request.headers} == {"host", "a", "content-length"}
    assert request.body == b"hello"


async def test_headers_cannot_be_injected(client: OutboundClient, sink: Sink) -> None:
    with pytest.raises(NoAnswer):
        await client.post(URL(sink.url), [("a", "b\r\nx: y")], b"", timeout_seconds=SECONDS)
    assert not sink.requests


async def test_cookies_are_not_kept(client: OutboundClient, sink: Sink) -> None:
    sink.answer(200, headers={"set-cookie": "a=b"})
    for _ in range(2):
        await client.post(URL(sink.url), [], b"", timeout_seconds=SECONDS)
    assert all(r.header("cookie") is None for r in sink.requests)


async def test_a_large_answer_is_cut_and_the_next_request_is_well(client: OutboundClient, sink: Sink) -> None:
    sink.answer(500, body=b"x" * 5_000_000)
    answer = await client.post(URL(sink.url), [], b"", timeout_seconds=SECONDS, body_bytes=100)
    assert (answer.status, answer.body, answer.truncated) == (500, b"x" * 100, True)
    sink.answer(200, body=b"y" * 100)
    answer = await client.post(URL(sink.url), [], b"", timeout_seconds=SECONDS, body_bytes=100)
    assert (answer.body, answer.truncated) == (b"y" * 100, False)
    assert answer.header(b"content-length") == "100"
    assert answer.header(b"nothing") is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/", "no connection: Connection refused"),
        ("http://10.0.0.1/", "the address 10.0.0.1 is not public and not allowed for sinks"),
        ("http://[::1]/", "the address ::1 is not public and not allowed for sinks"),
        ("http://nothing.invalid/", "the name nothing.invalid cannot be resolved"),
    ],
)
async def test_why_there_was_no_answer(client: OutboundClient, url: str, why: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        await client.post(URL(url), [], b"", timeout_seconds=SECONDS)
    assert str(caught.value) == why


async def test_garbage_tls_and_broken_answers(client: OutboundClient, sink: Sink) -> None:
    with pytest.raises(NoAnswer, match="no TLS"):
        await client.post(URL(sink.url.replace("http:", "https:")), [], b"", timeout_seconds=SECONDS)

    answers = iter([b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"])

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    url = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    with pytest.raises(NoAnswer, match="not HTTP"):
        await client.post(url, [], b"", timeout_seconds=SECONDS)
    with pytest.raises(NoAnswer, match="broke off"):
        await client.post(url, [], b"", timeout_seconds=SECONDS)
    server.close()
    await server.wait_closed()


def test_reasons_without_a_connection() -> None:
    assert reason(TimeoutError()) == "no answer in time"
    assert reason(ConnectionResetError()) == "the connection was reset"
    assert reason(ValueError("odd")) == "ValueError: odd"
