"""All functions behind the edge, served over HTTP from a thread of the test process."""

import asyncio
import logging
import socket
import threading
from typing import Self

from shared.runtime import load, registry
from shared.runtime.edge import Edge
from shared.runtime.process import Server, configuration
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings


class Background:
    """`with Background(settings) as weir`: answers at `weir.url`; what it logged as an error is in `errors`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.errors: list[logging.LogRecord] = []
        self._server: Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        resources = Resources(self._settings)
        edge = Edge(resources, registry.functions(), lambda f: load.application(f, resources), "test")
        self._server = Server(configuration(edge))
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            await resources.close()

    def __enter__(self) -> Self:
        self._handler = _Keep(self.errors)
        logging.getLogger("weir").addHandler(self._handler)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(20)
        logging.getLogger("weir").removeHandler(self._handler)
        assert not self._thread.is_alive()


class _Keep(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)
