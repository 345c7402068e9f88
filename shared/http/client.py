"""Requests to addresses that users name: guarded, bounded, and never following anything."""

import asyncio
import ssl
from collections.abc import Iterable

import msgspec
from yarl import URL

from shared.http.addresses import AddressGuard
from shared.http.answer import Answer, NoAnswer, Opening
from shared.http.connection import Broken, Connection, Late
from shared.http.deadlines import Deadlines
from shared.http.descriptors import connections as allowed_connections
from shared.http.dial import Dialer, Resolve
from shared.http.pool import Origin, Pool, origin_of
from shared.http.reasons import reason
from shared.http.request import InvalidRequest, Target, render, target_of

__all__ = ["Answer", "NoAnswer", "OutboundClient", "render"]

CONNECTIONS = 4_000
BODY_BYTES = 8 * 1024
TARGETS = 10_000


class _Request(msgspec.Struct, frozen=True, gc=False):
    """One request as it goes out, and what may come back within which time."""

    target: Target
    tls: ssl.SSLContext | None
    head: bytes
    body: bytes
    timeout_seconds: float
    body_bytes: int


class OutboundClient:
    """One pool of connections. Addresses are checked when a connection is opened, after DNS, every time.

    No redirects, no cookies, no proxies from the environment, no decompression: what is sent is what was
    given, with `host` and `content-length`. `resolve` stands in for the system's resolver.
    """

    def __init__(
        self, guard: AddressGuard, *, connections: int | None = None, resolve: Resolve | None = None
    ) -> None:
        self._dialer = Dialer(guard, resolve)
        self._pool = Pool(connections or allowed_connections(CONNECTIONS))
        self._deadlines = Deadlines()
        self._targets: dict[URL, Target] = {}

    async def post(
        self,
        url: URL,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        *,
        timeout_seconds: float,
        rendered: bytes = b"",
        tls: ssl.SSLContext | None = None,
        body_bytes: int = BODY_BYTES,
    ) -> Answer:
        """POST `body` and read up to `body_bytes` of what comes back, all within `timeout_seconds`.

        `rendered` are more headers, as `render` gives them. `tls` has the authorities and the certificate
        that count instead of the system's; connections are shared by requests with the same one.
        Raises NoAnswer. It is sent once: a sink may have acted on a POST whose answer was lost.
        """
        try:
            target = self._targets.get(url) or self._target(url)
            lines = render(headers)
        except InvalidRequest as error:
            raise NoAnswer(reason(error)) from error
        head = b"POST%b%b%bcontent-length: %d\r\n\r\n" % (target.start, rendered, lines, len(body))
        request = _Request(target, tls, head, body, timeout_seconds, body_bytes)
        return await self._request(request, again=False)

    async def get(
        self,
        url: URL,
        headers: Iterable[tuple[str, str]] = (),
        *,
        timeout_seconds: float,
        tls: ssl.SSLContext | None = None,
        body_bytes: int = BODY_BYTES,
    ) -> Answer:
        """GET, and read up to `body_bytes` of what comes back, all within `timeout_seconds`. Raises NoAnswer."""
        try:
            target = self._targets.get(url) or self._target(url)
            head = b"GET%b%b\r\n" % (target.start, render(headers))
        except InvalidRequest as error:
            raise NoAnswer(reason(error)) from error
        request = _Request(target, tls, head, b"", timeout_seconds, body_bytes)
        return await self._request(request, again=True)

    async def close(self) -> None:
        """Close the connections."""
        self._deadlines.close()
        self._pool.close()
        self._dialer.close()

    def _target(self, url: URL) -> Target:
        if len(self._targets) >= TARGETS:
            self._targets.clear()
        target = self._targets[url] = target_of(url)
        return target

    async def _request(self, request: _Request, *, again: bool) -> Answer:
        origin = origin_of(request.target, request.tls)
        opening = Opening()
        try:
            if (connection := self._pool.take(origin)) is not None:
                try:
                    return await self._exchange(request, origin, connection, timed=True)
                except Broken as error:
                    # Its server may have closed it just then. What may be done twice is done again.
                    if not (again and error.untouched):
                        raise
            async with asyncio.timeout(request.timeout_seconds):
                connection = await self._pool.get(
                    origin, lambda: self._dialer.open(request.target, request.tls, opening)
                )
                return await self._exchange(request, origin, connection, timed=False)
        except Late as error:
            raise NoAnswer(reason(TimeoutError(), request.timeout_seconds), opening) from error
        except (Broken, OSError) as error:
            raise NoAnswer(reason(error, request.timeout_seconds), opening) from error

    async def _exchange(
        self, request: _Request, origin: Origin, connection: Connection, *, timed: bool
    ) -> Answer:
        """One request on `connection`, which goes back to the pool. Without `timed` somebody else sees to its end."""
        try:
            waiting = connection.send(request.head, request.body, request.body_bytes)
            if not timed:
                return await waiting
            self._deadlines.start(connection, request.timeout_seconds)
            try:
                return await waiting
            finally:
                self._deadlines.stop(connection, request.timeout_seconds)
        except BaseException:
            connection.close()
            raise
        finally:
            self._pool.put(origin, connection)
