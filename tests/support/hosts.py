"""What stands in front of a Weir in public: a host of static files, and an end for TLS."""

import contextlib
import json
import mimetypes
import socket
import socketserver
import sys
import threading
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.certificates import authority

ROOT = Path(__file__).resolve().parents[2]
RULES = json.loads((ROOT / "infra/edge/console.json").read_text())
"""What every host of the console has to do."""


def rule(kind: str, path: str) -> Any:
    """What the first pattern says that fits `path`."""
    return next(value for pattern, value in RULES[kind].items() if fnmatchcase(path, pattern))


class StaticHost:
    """Serves `folder` over TLS by the rules in `infra/edge/console.json` and by nothing else.

    `config` is the text of `/config.json`; None is a host without one. `connect` is what the policy lets scripts
    call; the API of the config unless it is given.
    """

    def __init__(self, folder: Path, name: str, api: str) -> None:
        self.config: str | None = json.dumps({"apiUrl": api})
        self.connect = api
        files = {"/" + f.relative_to(folder).as_posix(): f for f in folder.rglob("*") if f.is_file()}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self, files)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.socket = (
            authority()
            .server()
            .wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        )
        self.port: int = self._server.server_address[1]
        self.name = name
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"https://{self.name}:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler, files: dict[str, Path]) -> None:
        path = request.path.partition("?")[0]
        there = self.config is not None if path == "/config.json" else path in files
        if not there:
            missing = rule("missing", path)
            if missing == 404:
                request.send_response(404)
                request.send_header("content-length", "0")
                request.end_headers()
                return
            path = missing
        body = self.config.encode() if path == "/config.json" and self.config else files[path].read_bytes()
        request.send_response(200)
        request.send_header("content-type", mimetypes.guess_type(path)[0] or "application/octet-stream")
        request.send_header("content-length", str(len(body)))
        request.send_header("cache-control", rule("cacheControl", path))
        for name, value in RULES["headers"].items():
            request.send_header(name, value.replace("{api}", self.connect))
        request.end_headers()
        request.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that looks at a certificate and hangs up is nothing to write about."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class TlsEnd:
    """Takes TLS on `port` and passes what is in it to 127.0.0.1:`to`, as a load balancer does.

    `open` and `close` may be called again and again; a closed one refuses connections.
    """

    def __init__(self, port: int, to: int) -> None:
        self.port = port
        self._to = to
        self._server: _PassingOn | None = None

    def open(self) -> None:
        self._server = _PassingOn(self.port, self._to)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None


class _PassingOn(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, to: int) -> None:
        self.to = to
        self.tls = authority().server()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def note(self, *connections: socket.socket) -> None:
        self._open.update(connections)

    def cut(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    server: _PassingOn

    def handle(self) -> None:
        with (
            contextlib.suppress(OSError),
            self.server.tls.wrap_socket(self.request, server_side=True) as outside,
            socket.create_connection(("127.0.0.1", self.server.to)) as inside,
        ):
            self.server.note(outside, inside)
            back = threading.Thread(target=_copy, args=(inside, outside), daemon=True)
            back.start()
            _copy(outside, inside)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
