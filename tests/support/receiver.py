"""A sink in a thread of its own, for tests that have no event loop to spare."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Self


class Receiver:
    """`with Receiver() as sink`: `sink.url` is its address, `sink.requests` the headers and bodies it got, `sink.times` when.

    Names of headers are in lower case. It answers with `status` and the JSON text `answer`, which can be changed at any
    time.
    """

    def __init__(self, status: int = 204, answer: bytes = b"", kind: str = "application/json") -> None:
        self.status = status
        self.answer = answer
        self.kind = kind
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.times: list[float] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


def _handler(receiver: Receiver) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name for it
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            receiver.times.append(time())
            receiver.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.status)
            if receiver.answer:
                self.send_header("content-type", receiver.kind)
            self.send_header("content-length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
            """Say nothing."""

    return Handler
