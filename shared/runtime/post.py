"""One POST with nothing but asyncio: for what has to go out before a client would even be loaded."""

import asyncio
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

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
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {parts.netloc.rpartition('@')[2]}",
        *(f"{name}: {value}" for name, value in headers),
        f"content-length: {len(body)}",
        "connection: close",
    ]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        async with asyncio.timeout(timeout_seconds):
            await writer.drain()
            if sent is not None:
                sent.set()
            return _status(await reader.readline())
    finally:
        writer.close()


def _status(line: bytes) -> int:
    version, _, rest = line.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise NoStatus("the connection was closed" if not line else "that is no HTTP")
    return int(rest[:3])
