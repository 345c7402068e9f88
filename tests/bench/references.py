"""What Weir is measured against, each a process of its own.

python -m tests.bench.references null PORT       a FastAPI route that parses the JSON and stores nothing
python -m tests.bench.references sink PORT       a receiver that answers 204 as fast as it can
python -m tests.bench.references post PORT N     a bare aiohttp loop that POSTs N events to a sink
"""

import asyncio
import json
import socket
import sys
import time
from typing import cast

import uvloop

from tests.bench.load import DATA

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def null(port: int) -> None:
    """The route of the issue's reference, on the server settings that Weir uses."""
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    app = FastAPI()

    @app.post("/in/{project}", status_code=202)
    async def take(project: str, request: Request) -> JSONResponse:
        await request.json()
        return JSONResponse({"uid": project, "duplicate": False}, status_code=202)

    listening = socket.create_server(("127.0.0.1", port), backlog=2048)
    config = uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvloop.run(uvicorn.Server(config).serve(sockets=[listening]))


class Receiver(asyncio.Protocol):
    """Answers every request; counts them, and says when each event came."""

    received = 0
    last_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, separator, rest = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            if head.startswith(b"GET "):
                body = json.dumps({"received": Receiver.received, "lastAt": Receiver.last_at}).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                self._buffer = rest
                continue
            place = head.lower().find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            Receiver.received += 1
            Receiver.last_at = time.time()
            self._transport.write(ANSWER)


async def sink(port: int) -> None:
    """Serve until killed. GET tells how many came, and when the last did (Unix seconds)."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
    await server.serve_forever()


async def post(port: int, count: int) -> None:
    """POST `count` events over 64 connections; prints events per second."""
    import aiohttp

    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=64)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for number in left:
                headers = {
                    "content-type": "application/json",
                    "ce-specversion": "1.0",
                    "ce-type": "com.acme.order.created",
                    "ce-source": "/bench",
                    "ce-id": str(number),
                }
                async with session.post(f"http://127.0.0.1:{port}/", data=DATA, headers=headers) as answer:
                    await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(64)))
        print(json.dumps({"perSecond": count / (time.perf_counter() - started)}))


def main() -> None:
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "null":
        null(port)
    elif what == "sink":
        uvloop.run(sink(port))
    else:
        uvloop.run(post(port, int(sys.argv[3])))


if __name__ == "__main__":
    main()
