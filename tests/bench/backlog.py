"""One sink that takes five seconds for each request, with a backlog, among ninety-nine that are fast."""

import asyncio
import os
import time
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from tests.bench.load import DATA, post
from tests.bench.stand import Bench
from tests.support.served import Served

FAST = 99
SLOW_SECONDS = 5.0
WAITING = 100_000
RATE = 200
SECONDS = 12
TYPE = "com.acme.order.created"
OK = b"HTTP/1.1 204 No Content\r\n\r\n"


class Sinks(asyncio.Protocol):
    """All hundred sinks: a request whose path is /slow is answered late. `took` are those of the others, in seconds."""

    sent: dict[bytes, float]
    took: list[float]
    slow: int

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        place = head.find(b"content-length: ")
        length = int(head[place + 16 :].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._buffer = b""
        if head.startswith(b"POST /slow "):
            Sinks.slow += 1
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._transport.write, OK)
            return
        now = time.perf_counter()
        place = head.find(b"ce-id: ")
        began = Sinks.sent.pop(head[place + 7 :].split(b"\r\n", 1)[0], None)
        if began is not None:
            Sinks.took.append(now - began)
        self._transport.write(OK)


class Producers:
    """A few connections that POST events at a steady rate, whatever the answers take."""

    def __init__(self, port: int, path: str, key: str) -> None:
        self._port = port
        self._run = os.urandom(4).hex()
        self._path = path
        self._key = key
        self._writers: list[asyncio.StreamWriter] = []

    async def send(self, count: int) -> None:
        """One event after the other, `RATE` in a second; each is for one of the fast sinks."""
        pairs = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(16)]
        readers = [asyncio.create_task(self._read(reader)) for reader, _ in pairs]
        start = time.perf_counter()
        for number, (name, request) in zip(range(count), self._requests(), strict=False):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            Sinks.sent[name] = time.perf_counter()
            pairs[number % len(pairs)][1].write(request)
        deadline = time.perf_counter() + 30
        while Sinks.sent and time.perf_counter() < deadline:  # noqa: ASYNC110 a lost one would never tell
            await asyncio.sleep(0.05)
        for reader in readers:
            reader.cancel()
        for _, writer in pairs:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(65_536):
            pass

    def _requests(self) -> Iterator[tuple[bytes, bytes]]:
        number = 0
        while True:
            name = f"{self._run}-{number}".encode()
            head = (
                b"ce-specversion: 1.0\r\nce-type: %b\r\nce-source: /bench\r\nce-id: %b\r\nce-subject: s%d\r\n"
                % (
                    TYPE.encode(),
                    name,
                    number % FAST,
                )
            )
            yield name, post(self._path, self._key, "application/json", DATA, head)
            number += 1


async def _latency(bench: Bench, port: int) -> dict[str, float]:
    Sinks.sent, Sinks.took = {}, []
    count = RATE * SECONDS
    await Producers(port, f"/in/{bench.project.name}", bench.project.key).send(count)
    ordered = sorted(Sinks.took) or [float("nan")]
    return {
        "p50": ordered[len(ordered) // 2] * 1000,
        "p99": ordered[int(len(ordered) * 0.99)] * 1000,
        "lost": count - len(ordered),
    }


async def _measure(bench: Bench, port: int) -> dict[str, Any]:
    Sinks.slow = 0
    server = await asyncio.get_running_loop().create_server(Sinks, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fast: list[tuple[str, list[Any]]] = [
        (f"{address}/fast/{number}", [{"exact": {"subject": f"s{number}"}}]) for number in range(FAST)
    ]
    ids = await bench.subscribe_all(fast)
    await _latency(bench, port)  # connections to all sinks
    without = await _latency(bench, port)
    slow = await bench.subscribe_all([(f"{address}/slow", [{"exact": {"subject": "slow"}}])])
    waiting = await bench.let_wait(slow[0], WAITING)
    found = await _latency(bench, port)
    asked = Sinks.slow
    again = await _latency(bench, port)
    await bench.unsubscribe_all([*ids, *slow])
    server.close()
    return {"waiting": waiting, "without": without, "with": found, "later": again, "slowAsked": asked}


def measure(bench: Bench, served: Served) -> dict[str, Any]:
    """Milliseconds from POST to a fast sink at a steady rate, without and with the slow one and its backlog."""
    return uvloop.run(_measure(bench, served.port))
