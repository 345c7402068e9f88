"""Connections that wait for their next request, and how requests to all servers share them."""

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
    """One origin: its idle connections, the last used last; who waits; how many requests have or open a connection."""

    __slots__ = ("busy", "idle", "opening", "waiting")

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()
        self.busy = 0
        self.opening = 0

    @property
    def is_unused(self) -> bool:
        """Whether there is nothing to know."""
        return not (self.idle or self.waiting or self.busy)


class Pool:
    """At most `limit` connections, idle or not, and few openings of one origin at a time.

    An origin gets one more while it has fewer under way than are left for everybody. So one alone may have half
    of all; of a hundred that hang, each gets a hundredth; and there is always something left for the next. Idle ones
    count as left: the oldest is closed before anybody waits.

    Who finds no connection idle has one opened, or when enough are being opened waits for the first that is
    given back: many requests at once to a fast server need few connections, and get as many as a slow one takes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._free = limit  # what is not under way: idle, or not open
        self._idle = 0
        self._servers: dict[Origin, _Server] = {}
        self._short: dict[_Server, None] = {}  # those that wait because they have their part
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """How many connections there are: idle, with a request, or being opened for one."""
        return self._limit - self._free + self._idle

    def take(self, origin: Origin) -> Connection | None:
        """An open connection to `origin`, the one that was used last."""
        server = self._servers.get(origin)
        if server is None or not server.idle or server.busy >= self._free:
            return None
        now = time.monotonic()
        while server.idle:
            connection = server.idle.pop()
            self._idle -= 1
            if connection.is_open:
                since = now - connection.idle_since
                if since < PEEK_SECONDS or (since < KEEP_ALIVE_SECONDS and not connection.is_stale()):
                    server.busy += 1
                    self._free -= 1
                    return connection
            connection.close()
        return None

    async def get(self, origin: Origin, open_: Open) -> Connection:
        """A connection to `origin`, given back by another request or opened. Raises what `open_` raises."""
        server = self._servers.get(origin)
        if server is None:
            server = self._servers[origin] = _Server()
        if server.waiting or server.opening >= OPENINGS or server.busy >= self._free:
            if (connection := await self._turn(server)) is not None:
                if connection.is_open:
                    return connection
                server.opening += 1  # its server closed it meanwhile: another one in its place
        else:
            self._admit(server)
            server.opening += 1
        try:
            opened = await open_()
        except BaseException:
            server.opening -= 1
            self._leave(server)
            raise
        server.opening -= 1
        if server.waiting:
            self._serve(server)
        return opened

    def put(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        server = self._servers[origin]
        if self._closed or not connection.is_open:
            connection.close()
        else:
            connection.idle_since = time.monotonic()
            server.idle.append(connection)
            self._idle += 1
            if self._sweeper is None:
                self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        self._leave(server)

    def close(self) -> None:
        """Close those that are idle; the others when they come back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for server in self._servers.values():
            for connection in server.idle:
                connection.close()
            server.idle.clear()
        self._idle = 0

    def _admit(self, server: _Server) -> None:
        server.busy += 1
        self._free -= 1
        while self._idle > self._free:
            self._drop_oldest()

    def _leave(self, server: _Server) -> None:
        """A request is over: who waits and may goes on, of another origin first where that has less under way."""
        server.busy -= 1
        self._free += 1
        if not self._short:
            if server.waiting:
                self._serve(server)
            return
        needy = min(self._short, key=_busy)
        if needy.busy < max(server.busy, 1):
            self._serve(needy)
        if server.waiting:
            self._serve(server)
        while self._short and needy.busy < self._free:
            needy = min(self._short, key=_busy)
            if needy.busy < self._free:
                self._serve(needy)

    def _serve(self, server: _Server) -> None:
        """Let go on who waits for `server` and may."""
        self._short.pop(server, None)
        while server.waiting:
            turn = server.waiting[0]
            if turn.done():
                server.waiting.popleft()
                continue
            if server.busy >= self._free:
                self._short[server] = None
                return
            if server.idle:
                connection = server.idle.pop()
                self._idle -= 1
                turn.set_result(connection)
            elif server.opening < OPENINGS:
                server.opening += 1
                turn.set_result(None)
            else:
                return
            server.waiting.popleft()
            self._admit(server)

    async def _turn(self, server: _Server) -> Connection | None:
        """Wait for a connection that is given back; None when it is one's turn to open one. It counts from then on."""
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        server.waiting.append(turn)
        if server.busy >= self._free:
            self._short[server] = None
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it came together with the end of the wait
                if (connection := turn.result()) is None:
                    server.opening -= 1
                elif connection.is_open and not self._closed:
                    server.idle.append(connection)
                    self._idle += 1
                else:
                    connection.close()
                self._leave(server)
            raise

    def _drop_oldest(self) -> None:
        idle = (server.idle for server in self._servers.values() if server.idle)
        min(idle, key=lambda connections: connections[0].idle_since).pop(0).close()
        self._idle -= 1

    def _sweep(self) -> None:
        self._sweeper = None
        before = time.monotonic() - KEEP_ALIVE_SECONDS
        for origin, server in list(self._servers.items()):
            while server.idle and (server.idle[0].idle_since < before or not server.idle[0].is_open):
                server.idle.pop(0).close()
                self._idle -= 1
            if server.is_unused:
                del self._servers[origin]
        if self._servers and not self._closed:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)


def _busy(server: _Server) -> int:
    return server.busy
