"""One HTTP/1.1 connection to a server that nobody vouches for, one request at a time (RFC 9112)."""

import asyncio
import socket
import time
from typing import cast

import httptools

from shared.http.answer import Answer, Opening, Timings

HEAD_BYTES = 32 * 1024
HEADERS = 200
OVERHEAD = 16
"""How many bytes may come for each byte of a body that may be read: sizes of chunks, trailers."""

JOIN_BYTES = 64 * 1024
"""A body up to this size is copied behind its head; a larger one is written by itself."""

_NO_BODY = frozenset({204, 304})


class Broken(Exception):
    """The connection ended, or the answer cannot be used. `untouched`: not one byte of an answer came."""

    def __init__(self, why: str, *, untouched: bool = False) -> None:
        super().__init__(why)
        self.untouched = untouched


class Late(Exception):
    """The answer was not there in time."""


class Connection(asyncio.Protocol):
    """Sends requests and reads answers. `send` gives the future of an answer; only one may be under way.

    What comes unasked ends the connection, so no answer can be taken for that of another request.
    """

    def __init__(self, opening: Opening) -> None:
        self.idle_since = 0.0
        self.requests = 0
        self.keep_alive_seconds: float | None = None
        self.is_open = False
        self.opening = opening
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._has_head = False
        self._parts: list[bytes] = []
        self._room = 0
        self._limit = 0
        self._received = 0
        self._sent_at = 0.0
        self._first_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def send(self, head: bytes, body: bytes, body_bytes: int) -> "asyncio.Future[Answer]":
        """Write a request; its answer, with up to `body_bytes` of its body.

        The future raises Broken, and Late when `expire` was called.
        """
        assert self._answer is None
        assert self._transport is not None
        answer = self._answer = asyncio.get_running_loop().create_future()
        self.requests += 1
        self._headers = []
        self._parts = []
        self._has_head = False
        self._room = self._limit = body_bytes
        self._received = 0
        self._sent_at = time.perf_counter()
        if len(body) <= JOIN_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return answer

    def expire(self) -> None:
        """Wait no longer."""
        self._fail(Late())

    def close(self) -> None:
        """End it, whatever is under way."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        parser = self._parser
        if parser is None or self._answer is None:
            self.close()  # nobody asked
            return
        if not self._received:
            self._first_at = time.perf_counter()
        self._received += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # 101 ends in `on_message_complete`; nothing was offered, so nothing goes on
        except httptools.HttpParserError as error:
            if self._answer is not None:
                cause = error.__context__
                self._fail(
                    cause if isinstance(cause, Broken) else Broken(f"the answer is not HTTP: {error}"[:300])
                )
            self.close()
            return
        if self._answer is not None:
            if not self._has_head:
                if self._received > HEAD_BYTES:
                    self._fail(Broken(_TOO_LONG))
            elif self._received > HEAD_BYTES + OVERHEAD * self._limit:
                self._fail(Broken("the answer is too long for its body"))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; after the head they are trailers, which nobody here has a use for."""
        if not self._has_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole. Raises Broken for one that is too long."""
        headers = self._headers
        if len(headers) > HEADERS or (
            self._received > HEAD_BYTES and sum(len(n) + len(v) for n, v in headers) > HEAD_BYTES
        ):
            raise Broken(_TOO_LONG)
        self._has_head = True

    def on_body(self, data: bytes) -> None:
        """A piece of the body. What is too much ends it: the rest may be endless, so the connection goes with it."""
        if self._answer is None:
            return
        self._room -= len(data)
        if self._room < 0:
            self._parts.append(data[: self._room])
            self._finish(truncated=True)
            self.close()
        else:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole, or it was one in between (RFC 9110, section 15.2)."""
        parser = self._parser
        assert parser is not None
        if self._answer is None:
            self.close()  # a second one
            return
        status = parser.get_status_code()
        if status < 200 and status != 101:
            self._headers = []
            self._has_head = False
            return
        if not parser.should_keep_alive() or status == 101:
            self.is_open = False
        self._finish()

    def eof_received(self) -> None:
        """The server sends nothing more: the end of a body that has no other (RFC 9112, section 6.3)."""
        if self._answer is not None and self._has_head and self._ends_with_connection():
            self._finish()
        self.is_open = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        if self._answer is not None:
            if self._has_head:
                self._fail(Broken("the answer's body broke off"))
            elif exc is None:
                why = "the connection was closed without an answer"
                self._fail(Broken(why, untouched=not self._received))
            else:
                self._fail(Broken("the connection was reset", untouched=not self._received))
        self.is_open = False
        self._parser = self._transport = None  # they know each other, which nobody would find out soon

    def is_stale(self) -> bool:
        """Whether the server has closed an idle connection, or has sent what nobody asked for.

        The loop tells so too, but only in its next turn: a request must not be written in between.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            return True
        if self._socket is None:
            return False
        try:
            return self._socket.recv(1, socket.MSG_PEEK) is not None
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def watch(self, opened: socket.socket) -> None:
        """The socket below, for `is_stale`."""
        self._socket = opened

    def _ends_with_connection(self) -> bool:
        """Whether the body has neither a length nor chunks, though there may be one."""
        assert self._parser is not None
        if self._parser.get_status_code() in _NO_BODY:
            return False
        coding = length = b""
        for name, value in self._headers:
            lower = name.lower()
            if lower == b"transfer-encoding":
                coding = value
            elif lower == b"content-length":
                length = value
        if coding:
            return coding.rpartition(b",")[2].strip().lower() != b"chunked"
        return not length

    def _finish(self, *, truncated: bool = False) -> None:
        answer, self._answer = self._answer, None
        parser, transport = self._parser, self._transport
        assert answer is not None
        assert parser is not None
        assert transport is not None
        parts, opening = self._parts, self.opening
        first_byte_us = int((self._first_at - self._sent_at) * 1_000_000)
        body_us = int((time.perf_counter() - self._first_at) * 1_000_000)
        if self.requests == 1:
            timings = Timings(opening.dns_us, opening.connect_us, opening.tls_us, first_byte_us, body_us)
        else:
            timings = Timings(None, None, None, first_byte_us, body_us)
        if transport.get_write_buffer_size():
            self.is_open = False  # it answered before it was asked in full
        if not answer.done():
            body = b"".join(parts) if parts else b""
            status = parser.get_status_code()
            answer.set_result(
                Answer(status, self._headers, body, truncated, timings, opening.address, opening.tls)
            )

    def _fail(self, error: Exception) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self.close()


_TOO_LONG = f"the answer's head is longer than {HEAD_BYTES // 1024} KiB or has more than {HEADERS} headers"
