"""One request and its answer on a connection: what uvicorn does there, at a fraction of its cost."""

from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from shared.runtime.answer import HEADERS
from shared.runtime.browser import TRANSPORT

LINES = 4096
"""How many header lines are remembered."""

_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""Headers that say where an answer ends: uvicorn looks at these itself."""

_NO_BODY = frozenset({204, 304})

_USUAL = frozenset(
    {b"date", b"content-type", b"content-length", TRANSPORT.encode(), *(name for name, _ in HEADERS)}
)
"""Headers that nearly every answer has. No others are remembered: a cookie is nothing to keep."""


class _Lines(dict[tuple[bytes, bytes], bytes]):
    """Headers as they are written. Raises RuntimeError for one that could be more than a header."""

    def __missing__(self, header: tuple[bytes, bytes]) -> bytes:
        name, value = header
        if not name or HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
            raise RuntimeError("A header has a name or a value that cannot be written.")
        line = b"%b: %b\r\n" % (name.lower(), value)
        if name.lower() in _USUAL:
            if len(self) >= LINES:
                self.clear()
            self[header] = line
        return line


_lines = _Lines()


class Cycle(RequestResponseCycle):
    """uvicorn's, with the head and the beginning of the body in one write.

    Each write is a system call, and most often a packet, which the client wakes up for. A head that says how long
    its body is goes out with that; any other at once, because its body may be a long time coming.
    """

    _head = b""

    async def send(self, message: Any) -> None:
        """Take what the application says next (ASGI, "HTTP response")."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._start(message)
        elif self._head and message["type"] == "http.response.body":
            self._first(message)
        else:
            await super().send(message)

    def _start(self, message: Any) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"An answer starts with http.response.start, not {message['type']}.")
        status: int = message["status"]
        keep_alive = self.keep_alive
        try:
            head = self._rendered(status, message.get("headers", ()))
        except BaseException:
            # What was noted of it is not so: another head will be sent instead.
            self.chunked_encoding, self.expected_content_length, self.keep_alive = None, 0, keep_alive
            raise
        self.response_started = True
        self.waiting_for_100_continue = False
        if self.chunked_encoding is False and self.expected_content_length:
            self._head = head
        else:
            self.transport.write(head)

    def _rendered(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The head, with the end of the body noted."""
        parts = [STATUS_LINE[status]]
        closes = False
        for header in (*self.default_headers, *headers):
            name, value = header
            parts.append(_lines[name, value])
            if name in _FRAMING or name.lower() in _FRAMING:
                closes |= self._framed(name.lower(), value)
        if not (self.keep_alive or closes):
            parts.append(b"connection: close\r\n")
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in _NO_BODY:
            self.chunked_encoding = True
            parts.append(b"transfer-encoding: chunked\r\n")
        parts.append(b"\r\n")
        return b"".join(parts)

    def _framed(self, name: bytes, value: bytes) -> bool:
        """Note what one of `_FRAMING` says; whether it closes the connection."""
        if name == b"content-length":
            if self.chunked_encoding is None:
                self.expected_content_length = int(value)
                self.chunked_encoding = False
        elif name == b"transfer-encoding":
            if value.lower() == b"chunked":
                self.expected_content_length = 0
                self.chunked_encoding = True
        elif b"close" in [token.strip().lower() for token in value.split(b",")]:
            self.keep_alive = False
            return True
        return False

    def _first(self, message: Any) -> None:
        """The beginning of a body whose length is known, most often all of it."""
        head, self._head = self._head, b""
        body: bytes = message.get("body", b"")
        if self.scope["method"] == "HEAD":
            body, self.expected_content_length = b"", 0
        if len(body) > self.expected_content_length:
            raise RuntimeError("The answer's body is longer than its Content-Length.")
        self.expected_content_length -= len(body)
        self.transport.write(head + body)
        if message.get("more_body", False):
            return
        if self.expected_content_length:
            raise RuntimeError("The answer's body is shorter than its Content-Length.")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
