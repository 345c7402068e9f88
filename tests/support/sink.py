"""A receiver on a free port of 127.0.0.1 that records what arrives and answers as it is told."""

import asyncio
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any, Self

from aiohttp import web

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Received:
    """One request. `headers` are in the order and spelling of the sender; `at` is in Unix seconds."""

    at: float
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the first header of that name, in any case."""
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    @property
    def id(self) -> str | None:
        """The `webhook-id`: the same at every retry of one delivery."""
        return self.header("webhook-id")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What to answer: after `delay` seconds; never when `hang`; by a reset connection when `drop`."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    hang: bool = False
    drop: bool = False


class Sink:
    """`async with Sink() as sink`: `sink.url` is its address, `sink.requests` what it got.

    With `tls` it speaks https.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.requests: list[Received] = []
        self.url = ""
        self.open = 0
        self.most_open = 0
        self._then = Answer()
        self._script: list[Answer] = []
        self._choose: Callable[[Received], Answer] | None = None
        self._changed = asyncio.Condition()
        self._ending = asyncio.Event()
        self._runner: web.AppRunner | None = None

    def answer(self, status: int = 200, **options: Any) -> None:
        """Answer so from now on; `options` are the fields of `Answer`."""
        self._script, self._choose, self._then = [], None, Answer(status, **options)

    def answers(self, script: Iterable[int | Answer], then: int | Answer = 200) -> None:
        """Answer with each of `script` once, in order, and with `then` from there on."""
        self._choose = None
        self._script = [a if isinstance(a, Answer) else Answer(a) for a in script]
        self._then = then if isinstance(then, Answer) else Answer(then)

    def choose(self, chooser: Callable[[Received], Answer]) -> None:
        """Let `chooser` decide for each request."""
        self._choose = chooser

    def let_go(self) -> None:
        """Answer at once what hangs or is delayed, now and from now on."""
        self._ending.set()

    async def wait(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Received]:
        """The requests, as soon as there are `count`. Raises TimeoutError, saying how many there are."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: len(self.requests) >= count)
        except TimeoutError as error:
            raise TimeoutError(f"{len(self.requests)} of {count} requests arrived in {timeout} s") from error
        return self.requests

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http{'s' if self._tls else ''}://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.raw_headers]
        got = Received(time(), request.method, request.path_qs, headers, await request.read())
        answer = self._next(got)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            async with self._changed:
                self.requests.append(got)
                self._changed.notify_all()
            await self._pause(answer)
        finally:
            self.open -= 1
        if answer.drop:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    def _next(self, got: Received) -> Answer:
        if self._choose is not None:
            return self._choose(got)
        return self._script.pop(0) if self._script else self._then

    async def _pause(self, answer: Answer) -> None:
        if not answer.delay and not answer.hang:
            return
        try:
            async with asyncio.timeout(None if answer.hang else answer.delay):
                await self._ending.wait()
        except TimeoutError:
            return
