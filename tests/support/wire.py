"""Requests as bytes over a socket, for what no client would send."""

import json
import socket
from dataclasses import dataclass
from typing import Any, Self

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status_line: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.status_line.split(" ", 2)[1])

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Wire:
    """`with Wire(port) as wire`: one connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> Self:
        for piece in pieces:
            self._socket.sendall(piece)
        return self

    def finish(self) -> Self:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def reply(self) -> Reply:
        """The next answer, but for 100 Continue."""
        head, _, self._read = self._until(lambda read: b"\r\n\r\n" in read).partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        if " 100 " in status_line:
            return self.reply()
        length = int(headers.get("content-length", "0"))
        body = self._until(lambda read: len(read) >= length)
        self._read = body[length:]
        return Reply(status_line, headers, body[:length])

    def rest(self) -> bytes:
        """What still comes until the server closes."""
        while chunk := self._socket.recv(65536):
            self._read += chunk
        return self._read

    def _until(self, enough: Any) -> bytes:
        while not enough(self._read):
            chunk = self._socket.recv(65536)
            if not chunk:
                raise AssertionError(f"the server closed after {self._read!r}")
            self._read += chunk
        return self._read


def request(
    target: str, headers: dict[str, str], body: bytes = b"", *lines: bytes, framed: bool = True
) -> bytes:
    """A POST; `lines` come after `headers` as they are. Unless `framed` the length is not said."""
    head = [f"POST {target} HTTP/1.1".encode(), b"host: weir"]
    head += [f"{name}: {value}".encode() for name, value in headers.items()]
    head += lines
    if framed:
        head.append(b"content-length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def ask(port: int, *pieces: bytes) -> Reply:
    """One request on a connection of its own."""
    with Wire(port) as wire:
        return wire.send(*pieces).reply()
