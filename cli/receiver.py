"""A receiver for trying deliveries: it answers as told and hands on what arrived."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock
from typing import Any


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What to answer: `status` to all, or 503 (or `status` when it is an error) to the first `fail` only.

    `delay` is in seconds; `hang` answers never; `headers` are added.
    """

    status: int = 200
    fail: int = 0
    delay: float = 0.0
    hang: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def status_of(self, number: int) -> int:
        """The status code for the request of that number, from 1."""
        if not self.fail:
            return self.status
        failing = self.status if self.status >= 300 else 503
        return failing if number <= self.fail else 200

    def delay_of(self, _number: int) -> float:
        """Seconds to wait before answering the request of that number."""
        return self.delay


def described(handler: BaseHTTPRequestHandler, body: bytes, status: int | None) -> dict[str, Any]:
    """A request as data: `at method path status headers body`, a body that is no text as `bodyBase64`."""
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": handler.command,
        "path": handler.path,
        "status": status,
        "headers": {name.lower(): value for name, value in handler.headers.items()},
    }
    try:
        return found | {"body": body.decode()}
    except UnicodeDecodeError:
        return found | {"bodyBase64": base64.b64encode(body).decode()}


class Receiver(ThreadingHTTPServer):
    """Listens on 127.0.0.1 (port 0: a free one). `got` is called for each request, one at a time."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, port: int, behaviour: Behaviour, got: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.behaviour = behaviour
        self.got = got
        self.ending = Event()
        self._lock = Lock()
        self._count = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def number(self) -> int:
        """The next request's number, from 1."""
        with self._lock:
            self._count += 1
            return self._count

    def tell(self, request: dict[str, Any]) -> None:
        """Hand a request on."""
        with self._lock:
            self.got(request)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    timeout = 120
    disable_nagle_algorithm = True

    def _receive(self) -> None:
        behaviour = self.server.behaviour
        body = self._body()
        number = self.server.number()
        if behaviour.hang:
            self.server.tell(described(self, body, None))
            self.server.ending.wait()
            self.close_connection = True
            return
        if delay := behaviour.delay_of(number):
            time.sleep(delay)
        status = behaviour.status_of(number)
        self.server.tell(described(self, body, status))
        self.send_response(status)
        for name, value in behaviour.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _receive  # noqa: N815 http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 http.server's signature
        """Stay silent: what arrives is the output."""
