"""Receivers: two that work and count, and those that do to a client whatever can be done to one."""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Self
from zlib import crc32

from aiohttp import web

from tests.torture.order import Order

WORK_SECONDS = 0.01
"""What an answer takes, so that at any moment some are under way."""

REFUSES_ONE_IN = 40
"""The ordered receiver answers so many of the events with 503 the first time."""

GIBIBYTE = 1024**3
PIECE = 64 * 1024


class Receiver:
    """Answers 204. `accepted` counts the 2xx of each delivery, `arrived` has when an event was first accepted.

    While `refusing` it answers 503. `work_seconds` is what an answer takes.
    """

    def __init__(self, work_seconds: float = WORK_SECONDS) -> None:
        self.work_seconds = work_seconds
        self.url = ""
        self.accepted: Counter[str] = Counter()
        self.arrived: dict[str, float] = {}
        self.refusing = False
        self.open = 0
        self._runner: web.ServerRunner | None = None

    @property
    def repeats(self) -> int:
        """How often something was accepted that had been accepted before."""
        return self.accepted.total() - len(self.accepted)

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        delivery, event = request.headers["webhook-id"], request.headers["ce-id"]
        self._begins(event)
        self.open += 1
        try:
            await request.read()
            await asyncio.sleep(self.work_seconds)
        finally:
            self.open -= 1
        if self.refusing or self._refuses(event):
            return web.Response(status=503)
        self.accepted[delivery] += 1
        self.arrived.setdefault(event, asyncio.get_running_loop().time())
        self._ends(event)
        return web.Response(status=204)

    def _begins(self, event: str) -> None:
        """A request has come."""

    def _ends(self, event: str) -> None:
        """It is about to be answered with 2xx."""

    def _refuses(self, event: str) -> bool:
        return False


class OrderedReceiver(Receiver):
    """Watches the order of each key, and refuses some events once, since a retry must hold up those behind it."""

    def __init__(self, work_seconds: float = WORK_SECONDS) -> None:
        super().__init__(work_seconds)
        self.order = Order()
        self._refused: set[str] = set()

    def _begins(self, event: str) -> None:
        key, _, number = event.partition(".")
        self.order.begin(key, int(number))

    def _ends(self, event: str) -> None:
        key, _, number = event.partition(".")
        self.order.end(key, int(number))

    def _refuses(self, event: str) -> bool:
        if crc32(event.encode()) % REFUSES_ONE_IN or event in self._refused:
            return False
        self._refused.add(event)
        return True


Misdeed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + bytes(1000):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def _garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(random.Random().choice([b"", b"HTTP/1.1 200 ", b"HTTP/1.1 99999 \0\r\n"]))
    writer.write(random.Random().randbytes(5000))
    await writer.drain()


async def _endless_body(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % GIBIBYTE)
    for _ in range(GIBIBYTE // PIECE):
        writer.write(bytes(PIECE))
        await writer.drain()


async def _endless_headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    piece = b"".join(b"x-%d: %s\r\n" % (n, b"y" * 1000) for n in range(60))
    while True:
        writer.write(piece)
        await writer.drain()


MISDEEDS: dict[str, Misdeed] = {
    "hangs": _hang,
    "resets": _reset,
    "trickles": _trickle,
    "garbage": _garbage,
    "endless body": _endless_body,
    "endless headers": _endless_headers,
}


class BadSink:
    """Reads the head of a request and does the misdeed of that name. `requests` counts them."""

    def __init__(self, misdeed: str) -> None:
        self._misdeed = MISDEEDS[misdeed]
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""
        self.requests = 0

    async def __aenter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        # What a connection inherits: else the kernel takes megabytes of each that nobody will ever read.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
        self._server = await asyncio.start_server(self._connected, sock=listening)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            await self._misdeed(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return  # the client has had enough
        finally:
            writer.transport.abort()
