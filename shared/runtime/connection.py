"""One HTTP/1.1 connection: what uvicorn's protocol leaves open to clients that are broken, slow or hostile.

uvicorn limits neither the time nor the size of a head, nor the time of a body. It answers what is not HTTP in
plain text and before the answers that are due, takes trailers for headers, and drops the body of a request
that offers an upgrade, as Java's client does with each (https://github.com/Kludex/uvicorn/issues/2722).
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.core.problems import HEAD_TOO_LARGE, MALFORMED, REQUEST_TIMEOUT, Problem
from shared.runtime.answer import HEADERS, PROBLEM_TYPE
from shared.runtime.cycle import Cycle
from shared.runtime.metrics import METRICS
from shared.runtime.settings import ConnectionSettings

LINGER_SECONDS = 1
"""How long a refused client may go on sending: a reset must not overtake the answer (RFC 9112, 9.6)."""

REFUSED = METRICS.counter(
    "weir_http_refused_total",
    "Requests that did not come whole and well-formed, by kind of problem.",
    ("kind",),
)


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with the limits of `ConnectionSettings`.

    A request that cannot be read, is too slow or has too long a head is answered with a problem, after the
    answers to those before it, and ends the connection. No timer runs for a request that comes in one piece.
    """

    def __init__(self, *arguments: Any, limits: ConnectionSettings, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: object = None
        self._ended = False
        self._upgrade = False
        self._unread = 0  # bytes since no head was half there: a head has at most so many
        self._between = 0  # bytes of a body that are none of its data: sizes of chunks, trailers
        self._progress = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._await(transport, self._limits.head_timeout_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and wait for the rest of a request that is not complete."""
        if self._ended:
            return
        self._unset_keepalive_if_required()
        self._unread += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            self._refuse(_unreadable(error))
            return
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._await(self.scope or self.transport, self._limits.head_timeout_seconds)
            if self._unread > len(data) + self._limits.head_max_bytes:
                self._refuse(_head_too_large(self._limits))
            return
        self._unread = 0
        if cycle.more_body:
            self._await(cycle, self._limits.body_timeout_seconds)
            self._between = 0 if self._progress else self._between + len(data)
            self._progress = False
            if self._between > self._limits.head_max_bytes:
                self._refuse(_head_too_large(self._limits))
        else:
            if self._timer is not None:
                self._await(None, 0)
            if cycle.response_complete:  # answered before it was whole, or a blank line after it
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

    def on_headers_complete(self) -> None:
        """Start the request. Raises Problem for a head that is too long, or asks for a tunnel."""
        limit = self._limits.head_max_bytes
        if self._unread > limit and len(self.url) + sum(len(n) + len(v) for n, v in self.headers) > limit:
            raise _head_too_large(self._limits)
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise Problem(MALFORMED, "This is no proxy: CONNECT is not served.")
            self._upgrade = True
            return
        self._begin()
        self.headers = []  # trailers are no headers (RFC 9110, 6.5.1)

    def _begin(self) -> None:
        """Have the application answer, when it is this request's turn."""
        parser, scope = self.parser, self.scope
        version = parser.get_http_version()
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = url.path
        scope["query_string"] = url.query or b""
        before = self.cycle
        cycle = self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body."""
        self._progress = True
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        if self._upgrade:
            return
        cycle = self.cycle
        cycle.more_body = False
        if not cycle.response_complete:
            cycle.message_event.set()

    def _feed(self, data: bytes) -> None:
        """Parse `data`. An upgrade that a client offers is passed over (RFC 9110, 7.8)."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as pause:
                # The parser leaves HTTP here, body and all: it gets the same head without the offer.
                self._upgrade = False
                data = self._without_upgrade() + data[pause.args[0] :]
            else:
                return

    def _without_upgrade(self) -> bytes:
        lines = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode()]
        for name, value in self.headers:
            if name == b"connection":
                tokens = (token.strip() for token in value.split(b","))
                value = b", ".join(token for token in tokens if token.lower() != b"upgrade")  # noqa: PLW2901
            if name != b"upgrade":
                lines += (b"\r\n", name, b": ", value)
        return b"".join((*lines, b"\r\n\r\n"))

    def _await(self, what: object, seconds: float) -> None:
        """Give `what` so many seconds from now, unless it is awaited already; None awaits nothing."""
        if what is self._awaited:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._awaited = what
        self._timer = None if what is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._timer = None
        awaited, self._awaited = self._awaited, None
        if self.flow.read_paused or self.pipeline:  # it is we who do not read on
            self._await(awaited, self._limits.body_timeout_seconds)
        elif awaited is self.transport:  # nothing was begun, so nobody waits for an answer
            self.transport.close()
        else:
            what = "body" if awaited is self.cycle else "head"
            self._refuse(Problem(REQUEST_TIMEOUT, f"The {what} of the request did not come in time."))

    def _refuse(self, problem: Problem) -> None:
        """Read no further; answer `problem` when it is its turn (RFC 9112, 9.3.2), and close."""
        self._ended = True
        self._await(None, 0)
        REFUSED.add(problem.kind.slug)
        cycle = self.cycle
        if cycle is not None and cycle.scope is self.scope and cycle.more_body:
            if cycle.response_started:
                self.transport.close()
            elif self.pipeline:
                self.pipeline[0] = (cycle, self._refusing(problem))
            else:
                cycle.disconnected = True
                cycle.message_event.set()
                self._answer(problem)
        elif cycle is None or cycle.response_complete:
            self._answer(problem)
        else:
            cycle.on_response = lambda: self._answer(problem)

    def _refusing(self, problem: Problem) -> Any:
        async def refuse(_scope: Scope, _receive: Receive, _send: Send) -> None:
            self.cycle.disconnected = True
            self._answer(problem)

        return refuse

    def _answer(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        body = msgspec.json.encode(problem.body())
        lines = [STATUS_LINE[problem.kind.status]]
        for name, value in (
            *self.server_state.default_headers,
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *HEADERS,
        ):
            lines += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*lines, b"\r\n", body)))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _head_too_large(limits: ConnectionSettings) -> Problem:
    return Problem(HEAD_TOO_LARGE, f"The head of a request may have at most {limits.head_max_bytes} bytes.")


def _unreadable(error: httptools.HttpParserError) -> Problem:
    """400 with the parser's reason; the Problem that a callback raised."""
    if isinstance(error.__context__, Problem):
        return error.__context__
    if isinstance(error, httptools.HttpParserCallbackError):
        return Problem(MALFORMED, "The request is not HTTP/1.1: its target cannot be read.")
    return Problem(MALFORMED, f"The request is not HTTP/1.1: {error}.")
