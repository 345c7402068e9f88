"""A client that may connect to this machine, and servers that do on a socket whatever a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from yarl import URL

from shared.http.addresses import AddressGuard
from shared.http.client import OutboundClient

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """`await raw(script)` serves: `script` runs for each connection and may write what it likes."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._servers: list[asyncio.Server] = []
        self._ends: list[asyncio.Task[None]] = []

    async def __call__(self, script: Script) -> URL:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            self._ends.append(task)
            try:
                await script(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass  # the client hung up, which is what some tests are about, or the test is over
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._servers.append(server)
        return URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    async def answers(self, *answers: bytes, then_close: bool = False) -> URL:
        """Give each connection these answers, one for a request; then hang up, or leave it open."""

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in answers:
                self.requests.append(await self.request(reader))
                writer.write(answer)
                await writer.drain()
            if not then_close:
                await reader.read()

        return await self(script)

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """One request, head and body."""
        head = await reader.readuntil(b"\r\n\r\n")
        place = head.find(b"content-length: ")
        length = int(head[place + 16 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        return head + await reader.readexactly(length)

    async def close(self) -> None:
        """End every connection."""
        for task in self._ends:
            task.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)
        for server in self._servers:
            server.close()
            await server.wait_closed()


@pytest.fixture(params=["asyncio", ("asyncio", {"use_uvloop": True})], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Both loops: tests run on one, functions on the other."""
    return request.param


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    server = RawServer()
    yield server
    await server.close()


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    opened = OutboundClient(AddressGuard(["127.0.0.0/8"]))
    yield opened
    await opened.close()
