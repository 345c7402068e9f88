"""Connections that wait for their next request."""

import asyncio
import ssl
import time
from collections import deque

from shared.http.connection import Connection
from shared.http.request import Target

KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which many servers close: a POST on a closed connection is a lost attempt."""

PEEK_SECONDS = 0.05
"""A connection that was idle for longer is looked at before it is used: in a busy process the loop lags behind."""

SWEEP_SECONDS = 1.0

Origin = tuple[str, str, int, ssl.SSLContext | None]
"""Scheme, host, port and the TLS settings: nobody gets a connection that was opened with another's certificate."""


def origin_of(target: Target, tls: ssl.SSLContext | None) -> Origin:
    """Whose connections may carry a request to `target`."""
    return (target.scheme, target.host, target.port, tls if target.is_tls else None)


class Pool:
    """At most `limit` connections, idle or not. Each `room` is given back by `left`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = 0
        self._idle: dict[Origin, list[Connection]] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, origin: Origin) -> Connection | None:
        """An open connection to `origin`, the one that was used last."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        now = time.monotonic()
        while idle:
            connection = idle.pop()
            if connection.is_open:
                since = now - connection.idle_since
                if since < PEEK_SECONDS or (since < KEEP_ALIVE_SECONDS and not connection.is_stale()):
                    return connection
            self.left(connection)
        return None

    def put(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        if self._closed or self._waiting or not connection.is_open:
            self.left(connection)
            return
        connection.idle_since = time.monotonic()
        idle = self._idle.get(origin)
        if idle is None:
            idle = self._idle[origin] = []
        idle.append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)

    async def room(self) -> None:
        """Wait until one more may be opened. An idle one makes room."""
        while self._open >= self._limit:
            if self._drop_oldest():
                continue
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except BaseException:
                if turn.done() and not turn.cancelled():
                    self._next()
                raise
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        self._open += 1

    def left(self, connection: Connection | None) -> None:
        """That connection is closed, or None: it was not opened after all."""
        if connection is not None:
            connection.close()
        self._open -= 1
        self._next()

    def close(self) -> None:
        """Close those that are idle; the others when they come back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for idle in self._idle.values():
            for connection in idle:
                self.left(connection)
        self._idle.clear()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _drop_oldest(self) -> bool:
        oldest = min(
            (idle for idle in self._idle.values() if idle), key=lambda idle: idle[0].idle_since, default=None
        )
        if oldest is None:
            return False
        self.left(oldest.pop(0))
        return True

    def _sweep(self) -> None:
        self._sweeper = None
        before = time.monotonic() - KEEP_ALIVE_SECONDS
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since < before or not idle[0].is_open):
                self.left(idle.pop(0))
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
