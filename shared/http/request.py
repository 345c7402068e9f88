"""A request as bytes (RFC 9112, sections 2 to 5). Nothing that a user names can become more than it is."""

import re
from collections.abc import Iterable

import msgspec
from yarl import URL

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_TARGET = re.compile(r"[!-~]+")
_CONTROLS = bytes(range(0x09)) + bytes(range(0x0A, 0x20)) + b"\x7f"

FRAMING = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers by which a message ends or goes somewhere: they are the client's alone."""

NAMES = 1024


class InvalidRequest(ValueError):
    """A header or an address that cannot be sent."""


class Target(msgspec.Struct, frozen=True):
    """Where a URL leads: the server, and the beginning of a request's head after the method."""

    scheme: str
    host: str
    port: int
    start: bytes

    @property
    def is_tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.scheme == "https"


def target_of(url: URL) -> Target:
    """The target of an absolute http or https URL. Raises InvalidRequest."""
    host, port = url.raw_host, url.port
    if url.scheme not in {"http", "https"} or not host or not port:
        raise InvalidRequest("the address is not an absolute http or https URL")
    named = f"[{host}]" if ":" in host else host
    if not url.is_default_port():
        named += f":{port}"
    path = url.raw_path_qs or "/"
    if not _TARGET.fullmatch(path) or not _TARGET.fullmatch(named):
        raise InvalidRequest("the address has characters that must be encoded")
    return Target(url.scheme, host, port, f" {path} HTTP/1.1\r\nhost: {named}\r\n".encode("ascii"))


class _Prefixes(dict[str, str]):
    """The beginning of a header's line by its name: names come again and again."""

    def __missing__(self, name: str) -> str:
        if not _TOKEN.fullmatch(name) or name.lower() in FRAMING:
            raise InvalidRequest(f"a header cannot be called {name[:100]!a}")
        if len(self) >= NAMES:
            self.clear()
        prefix = self[name] = name + ": "
        return prefix


_prefixes = _Prefixes()


def render(headers: Iterable[tuple[str, str]]) -> bytes:
    """The lines of `headers`, in UTF-8. Raises InvalidRequest.

    A value has no control characters but tabs, so it ends where its line ends (RFC 9110, section 5.5).
    """
    lines = [_prefixes[name] + value for name, value in headers]
    if not lines:
        return b""
    lines.append("")
    try:
        text = "\r\n".join(lines).encode()
    except UnicodeEncodeError:
        raise InvalidRequest("a header has half a surrogate pair") from None
    # Of control characters there may be those that were just put in.
    if len(text) - len(text.translate(None, _CONTROLS)) != 2 * (len(lines) - 1):
        raise InvalidRequest("a header has control characters")
    return text
