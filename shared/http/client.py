"""Requests to addresses that users name: guarded, bounded, and never following anything."""

import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from shared.http.addresses import AddressGuard, AddressRefused

KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which many servers close: a POST on a closed connection is a lost attempt."""

CONNECTIONS = 2_000
BODY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` has at most the bytes asked for; `truncated` says that there were more."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    truncated: bool

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == name), None)


class NoAnswer(Exception):
    """There was no response; the text says why in words for the sink's owner."""


class OutboundClient:
    """One pool of connections. Addresses are checked when a connection is opened, after DNS, every time.

    No redirects, no cookies, no proxies from the environment, no decompression.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                socket_factory=self._socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        )

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        self._guard.check(address[0])
        return socket.socket(family, kind, protocol)

    async def post(
        self,
        url: URL,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        *,
        timeout: aiohttp.ClientTimeout,
        body_bytes: int = BODY_BYTES,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """POST `body` and read up to `body_bytes` of what comes back. Raises NoAnswer.

        `tls` is what https is spoken with; its connections are used for no other context.
        """
        return await self._request(
            "POST", url, headers, body, timeout=timeout, body_bytes=body_bytes, tls=tls
        )

    async def get(
        self,
        url: URL,
        headers: Iterable[tuple[str, str]] = (),
        *,
        timeout: aiohttp.ClientTimeout,
        body_bytes: int = BODY_BYTES,
    ) -> Answer:
        """GET, and read up to `body_bytes` of what comes back. Raises NoAnswer."""
        return await self._request("GET", url, headers, None, timeout=timeout, body_bytes=body_bytes)

    async def _request(
        self,
        method: str,
        url: URL,
        headers: Iterable[tuple[str, str]],
        body: bytes | None,
        *,
        timeout: aiohttp.ClientTimeout,
        body_bytes: int,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=timeout,
                allow_redirects=False,
                ssl=True if tls is None else tls,
            ) as response:
                content = response.content
                parts: list[bytes] = []
                size = 0
                while size <= body_bytes and (part := await content.read(body_bytes + 1 - size)):
                    parts.append(part)
                    size += len(part)
                if size > body_bytes:
                    # The rest may be endless, so the connection goes with it.
                    response.close()
                return Answer(
                    response.status, response.raw_headers, b"".join(parts)[:body_bytes], size > body_bytes
                )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise NoAnswer(reason(error, timeout.total)) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


def reason(error: BaseException, timeout_seconds: float | None = None) -> str:
    """In words why there was no answer."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return str(cause)
        cause = getattr(cause, "os_error", None) or cause.__cause__
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_seconds:g} s" if timeout_seconds else "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate is not valid: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, ssl.SSLError):
            return f"no TLS: {error.os_error.reason or error.os_error}"
        number = error.os_error.errno
        return f"no connection: {os.strerror(number) if number and number > 0 else error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed without an answer"
    if isinstance(error, ConnectionResetError | BrokenPipeError | aiohttp.ClientOSError):
        return "the connection was reset"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer's body broke off"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the answer is not HTTP: {error.message}"[:300]
    return f"{type(error).__name__}: {error}"[:300]
