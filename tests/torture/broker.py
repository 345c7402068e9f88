"""The least of a broker: hands wakes to dispatchers, tries others when one does not answer, and ticks."""

import asyncio
from collections.abc import Sequence
from itertools import cycle
from typing import Self

import aiohttp
from aiohttp import web

ATTEMPTS = 20
PAUSE_SECONDS = 0.5
TICK_SECONDS = 60.0


class Broker:
    """`url` is what K_SINK names. Like a Knative broker it acknowledges at once and delivers at least once.

    A request to a dispatcher stays open while that one works.
    """

    def __init__(self, dispatchers: Sequence[str]) -> None:
        self.url = ""
        self._next = cycle(dispatchers)
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=5))
        self._runner = web.ServerRunner(web.Server(self._take), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        self._start(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        for task in self._under_way:
            task.cancel()
        await asyncio.wait(self._under_way)
        await self._runner.cleanup()
        await self._session.close()

    async def _take(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower().startswith(("ce-", "content-type"))
        }
        self._start(self._hand_on(headers, await request.read()))
        return web.Response(status=202)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _hand_on(self, headers: dict[str, str], body: bytes) -> None:
        assert self._session is not None
        for _ in range(ATTEMPTS):
            try:
                async with self._session.post(next(self._next), headers=headers, data=body) as answer:
                    if answer.status < 500:
                        return
            except (aiohttp.ClientError, OSError):
                pass
            await asyncio.sleep(PAUSE_SECONDS)

    async def _tick(self) -> None:
        number = 0
        while True:
            number += 1
            headers = {
                "ce-specversion": "1.0",
                "ce-id": f"tick-{number}",
                "ce-source": "/torture",
                "ce-type": "dev.weir.tick",
                "content-type": "application/json",
            }
            self._start(self._hand_on(headers, b"{}"))
            await asyncio.sleep(TICK_SECONDS)
