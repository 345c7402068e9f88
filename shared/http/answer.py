"""What comes of a request to an address that a user named."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


class Timings(msgspec.Struct, frozen=True, gc=False):
    """Microseconds: the parts of opening the connection, None each where one was open, and the wait after that.

    `first_byte_us` runs from the moment the request was written to the first byte of the answer.
    """

    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
    first_byte_us: int | None = None


class Answer(msgspec.Struct, frozen=True):
    """What came back. `body` has at most the bytes asked for; `truncated` says that there were more."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    truncated: bool
    timings: Timings

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == name), None)


class NoAnswer(Exception):
    """There was no response; the text says why in words for the sink's owner."""


@dataclass(slots=True)
class Opening:
    """How long the parts of opening a connection took, in microseconds, as far as it came."""

    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
