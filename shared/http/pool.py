"""Connections that wait for their next request."""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable

from shared.http.connection import Connection
from shared.http.request import Target

KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which many servers close: a POST on a closed connection is a lost attempt."""

PEEK_SECONDS = 0.05
"""A connection that was idle for longer is looked at before it is used: in a busy process the loop lags behind."""

SWEEP_SECONDS = 1.0
OPENINGS = 32
"""How many connections to one origin are being opened at a time."""

Origin = tuple[str, str, int, ssl.SSLContext | None]
"""Scheme, host, port and the TLS settings: nobody gets a connection that was opened with another's certificate."""


def origin_of(target: Target, tls: ssl.SSLContext | None) -> Origin:
    """Whose connections may carry a request to `target`."""
    return (target.scheme, target.host, target.port, tls if target.is_tls else None)


Open = Callable[[], Awaitable[Connection]]


class _Server:
    """The connections to one origin that are idle, the last used last; who waits for one; how many are being opened."""

    __slots__ = ("idle", "opening", "waiting")

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()
        self.opening = 0

    @property
    def is_unused(self) -> bool:
        """Whether there is nothing to know."""
        return not (self.idle or self.waiting or self.opening)


class Pool:
    """At most `limit` connections, idle or not, and few openings of one origin at a time.

    Who finds no connection idle has one opened, or when enough are being opened waits for the first that is
    given back: many requests at once to a fast server need few connections, and get as many as a slow one takes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0
        self._servers: dict[Origin, _Server] = {}
        self._rooms: deque[asyncio.Future[None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """An open connection to `origin`, the one that was used last."""
        server = self._servers.get(origin)
        if server is None or not server.idle:
            return None
        now = time.monotonic()
        while server.idle:
            connection = server.idle.pop()
            if connection.is_open:
                since = now - connection.idle_since
                if since < PEEK_SECONDS or (since < KEEP_ALIVE_SECONDS and not connection.is_stale()):
                    return connection
            self._left(connection)
        return None

    async def get(self, origin: Origin, open_: Open) -> Connection:
        """A connection to `origin`, given back by another request or opened. Raises what `open_` raises."""
        server = self._servers.get(origin)
        if server is None:
            server = self._servers[origin] = _Server()
        while server.opening >= OPENINGS:
            if (connection := await self._turn(server)) is not None:
                return connection
        server.opening += 1
        try:
            await self._room()
            try:
                return await open_()
            except BaseException:
                self._left(None)
                raise
        finally:
            server.opening -= 1
            _hand_on(server, None)

    def put(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        if self._closed or not connection.is_open:
            self._left(connection)
            return
        server = self._servers.get(origin)
        if server is None:
            server = self._servers[origin] = _Server()
        if server.waiting and _hand_on(server, connection):
            return
        if self._rooms:
            self._left(connection)
            return
        connection.idle_since = time.monotonic()
        server.idle.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    def close(self) -> None:
        """Close those that are idle; the others when they come back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers.values():
            while server.idle:
                self._left(server.idle.pop())

    async def _turn(self, server: _Server) -> Connection | None:
        """Wait for a connection that is given back; None when it is one's turn to open one."""
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        server.waiting.append(turn)
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it came together with the end of the wait
                if (connection := turn.result()) is None:
                    _hand_on(server, None)
                elif not _hand_on(server, connection):
                    self._left(connection)
            raise

    async def _room(self) -> None:
        """Wait until one more may be open. An idle one makes room."""
        while self._open >= self._limit:
            if self._drop_oldest():
                continue
            room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._rooms.append(room)
            try:
                await room
            except BaseException:
                if room.done() and not room.cancelled():
                    self._next()
                raise
        self._open += 1

    def _left(self, connection: Connection | None) -> None:
        """That connection is over, or None: it was not opened after all."""
        if connection is not None:
            connection.close()
        self._open -= 1
        self._next()

    def _next(self) -> None:
        while self._rooms:
            room = self._rooms.popleft()
            if not room.done():
                room.set_result(None)
                return

    def _drop_oldest(self) -> bool:
        idle = [server.idle for server in self._servers.values() if server.idle]
        if not idle:
            return False
        self._left(min(idle, key=lambda connections: connections[0].idle_since).pop(0))
        return True

    def _sweep(self) -> None:
        self._sweeper = None
        before = time.monotonic() - KEEP_ALIVE_SECONDS
        for origin, server in list(self._servers.items()):
            while server.idle and (server.idle[0].idle_since < before or not server.idle[0].is_open):
                self._left(server.idle.pop(0))
            if server.is_unused:
                del self._servers[origin]
        if self._servers and not self._closed:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)


def _hand_on(server: _Server, connection: Connection | None) -> bool:
    """Give the first who waits a connection, or the turn to open one; whether somebody waited."""
    while server.waiting:
        turn = server.waiting.popleft()
        if not turn.done():
            turn.set_result(connection)
            return True
    return False
