"""One POST with nothing but asyncio, or without even that: for what has to go out before a client would be loaded."""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

CONNECT_SECONDS = 5
LINE_BYTES = 4096


class NoStatus(OSError):
    """The connection ended without an answer."""


async def post(
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    timeout_seconds: float,
    certificates: str | None = None,
    sent: asyncio.Event | None = None,
) -> int:
    """POST `body` on a connection of its own; the status of the answer, whose body is not read.

    `sent` is set when the request has gone out. `certificates` (PEM) are trusted for https instead of the system's. Raises OSError when the server cannot be
    reached or goes away, TimeoutError when nothing has come after `timeout_seconds`.
    """
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    assert parts.hostname is not None
    opening = asyncio.open_connection(
        parts.hostname,
        parts.port or (443 if is_tls else 80),
        ssl=ssl.create_default_context(cadata=certificates) if is_tls else None,
        limit=LINE_BYTES,
    )
    try:
        reader, writer = await asyncio.wait_for(opening, CONNECT_SECONDS)
    except TimeoutError as error:
        raise NoStatus(f"{parts.netloc} does not take the connection") from error
    try:
        writer.write(_request(parts, headers, body))
        async with asyncio.timeout(timeout_seconds):
            await writer.drain()
            if sent is not None:
                sent.set()
            return _status(await reader.readline())
    finally:
        writer.close()


def send_now(
    url: str, headers: Iterable[tuple[str, str]], body: bytes, *, timeout_seconds: float
) -> socket.socket:
    """POST `body` to an address of http; the connection on which the answer comes, see `answered`.

    Blocks until it has gone out. Raises OSError when the server cannot be reached.
    """
    parts = urlsplit(url)
    assert parts.scheme == "http"
    assert parts.hostname is not None
    connection = socket.create_connection((parts.hostname, parts.port or 80), timeout_seconds)
    try:
        connection.sendall(_request(parts, headers, body))
    except OSError:
        connection.close()
        raise
    return connection


async def answered(connection: socket.socket, *, timeout_seconds: float) -> int:
    """The status of the answer to what was sent by `send_now`. Raises as `post` does."""
    reader, writer = await asyncio.open_connection(sock=connection, limit=LINE_BYTES)
    try:
        async with asyncio.timeout(timeout_seconds):
            return _status(await reader.readline())
    finally:
        writer.close()


def _request(parts: SplitResult, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {parts.netloc.rpartition('@')[2]}",
        *(f"{name}: {value}" for name, value in headers),
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise NoStatus("the connection was closed" if not line else "that is no HTTP")
    return int(rest[:3])
