"""One serving process: what `python -m shared.runtime.serve` starts. Loading this loads the HTTP server."""

import asyncio
import contextlib
import gc
import logging
import random
import signal
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

import uvicorn
from starlette.types import ASGIApp

from shared.runtime import load, registry
from shared.runtime.browser import transport_headers
from shared.runtime.connection import Connection
from shared.runtime.function import Function
from shared.runtime.resources import Resources
from shared.runtime.settings import ConnectionSettings, Settings

if TYPE_CHECKING:
    from shared.runtime.early import EarlyWake
    from shared.runtime.handler import Handler

COLLECT = (10_000, 20, 50)
"""How many new objects, younger and older generations the garbage collector waits for.

Requests leave next to no cycles behind, so at its defaults it takes a twentieth of the time, in pauses of up
to 35 ms, to find nothing.
"""

DRAIN_SECONDS = 25
CLOSE_SECONDS = 3
KEEP_ALIVE_SECONDS = 75
TICK_SECONDS = 60

logger = logging.getLogger("weir")


class Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process by the signal it has drained for."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `Process`."""
        yield


def configuration(app: ASGIApp, headers: Sequence[tuple[str, str]] = ()) -> uvicorn.Config:
    """How uvicorn serves `app`, in a loop that runs already; `headers` go with every answer, its own among them."""
    return uvicorn.Config(
        app,
        loop="none",
        http=cast("type[asyncio.Protocol]", partial(Connection, limits=ConnectionSettings())),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=list(headers),
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class Process:
    """One serving process: the server, the handlers in it, and their common end."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._handlers: list[Handler] = []
        self._server: Server | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp, listening: socket.socket) -> None:
        """Serve `app` on `listening` until told to end."""
        settings = self._resources.settings
        transport = transport_headers(settings.public_url, settings.hsts_seconds)
        self._server = Server(configuration(app, transport))
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        for kind in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(kind, self._end)
        # What the start has made stays: no collection needs to look at it again.
        gc.freeze()
        gc.set_threshold(*COLLECT)
        try:
            await self._server.serve(sockets=[listening])
        finally:
            if self._ticker is not None:
                self._ticker.cancel()
                await asyncio.wait([self._ticker])
            await (self._ending or loop.create_task(self._drain()))
            if self._resources.wake.local is not None:
                await self._resources.wake.local.close(CLOSE_SECONDS)
            await self._resources.close()

    def handle(self, handler: "Handler") -> None:
        """Drain `handler` when the process ends."""
        self._handlers.append(handler)

    def tick(self) -> None:
        """Send a tick to the handlers of this process now and then every minute or so."""
        self._ticker = asyncio.get_running_loop().create_task(self._tick())

    def _end(self) -> None:
        if self._ending is None:
            self._resources.draining = True
            self._ending = asyncio.get_running_loop().create_task(self._drain())
        assert self._server is not None
        self._server.should_exit = True

    async def _drain(self) -> None:
        self._resources.draining = True
        if self._resources.wake.local is not None:
            self._resources.wake.local.stop()
        drained = asyncio.gather(*(h.drain() for h in self._handlers), return_exceptions=True)
        try:
            for answer in await asyncio.wait_for(drained, DRAIN_SECONDS):
                if isinstance(answer, BaseException):
                    logger.error("a handler could not end in order", exc_info=answer)
        except TimeoutError:
            logger.error("handlers did not end within %d s", DRAIN_SECONDS)  # noqa: TRY400 the place says nothing

    async def _tick(self) -> None:
        while True:
            if self._resources.wake.local is not None:
                self._resources.wake.local.send({"type": "dev.weir.tick", "source": "/weir", "data": {}})
            # Spread, so that the workers of one machine do not all look at once.
            await asyncio.sleep(TICK_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311


async def serve_one(
    function: Function, settings: Settings, listening: socket.socket, early: "EarlyWake | None" = None
) -> None:
    """Serve one function until told to end. `early` is the wake that it has sent before, if it has."""
    resources = Resources(settings)
    process = Process(resources)
    if function.wakes_early:
        await resources.wake.early(early)
    if function.is_handler:
        from shared.runtime.handler_app import handler_app

        handler = load.handler(function, resources)
        process.handle(handler)
        app = handler_app(function, resources, handler)
    else:
        app = load.application(function, resources)
    await process.run(app, listening)


async def serve_all(settings: Settings, listening: socket.socket) -> None:
    """Serve every function behind the edge until told to end."""
    from importlib.metadata import version

    from shared.runtime.edge import Edge
    from shared.runtime.local_broker import LocalBroker

    resources = Resources(settings)
    process = Process(resources)
    broker = resources.wake.local = LocalBroker()
    for function in registry.functions():
        if function.is_handler:
            handler = load.handler(function, resources)
            process.handle(handler)
            broker.subscribe(handler, function.on)
    edge = Edge(resources, registry.functions(), lambda f: load.application(f, resources), version("weir"))
    process.tick()
    await process.run(edge, listening)
