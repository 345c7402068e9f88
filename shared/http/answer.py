"""What comes of a request to an address that a user named."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


class Timings(msgspec.Struct, frozen=True, gc=False):
    """Microseconds: the parts of opening the connection, None each where one was open, and the wait after that.

    `first_byte_us` runs from the moment the request was written to the first byte of the answer, `body_us` from
    there to the end of what was read. Without an answer they are known as far as the request came.
    """

    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
    first_byte_us: int | None = None
    body_us: int | None = None


NO_TIMINGS = Timings()


class Answer(msgspec.Struct, frozen=True):
    """What came back. `body` has at most the bytes asked for; `truncated` says that there were more.

    `address` is the one that was connected to, `tls` the version that was spoken, None without.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    truncated: bool
    timings: Timings
    address: str | None = None
    tls: str | None = None

    def header(self, name: bytes) -> str | None:
        """The first header of that (lower-case) name."""
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == name), None)


@dataclass(slots=True)
class Opening:
    """How long the parts of opening a connection took, in microseconds, as far as it came, and where it leads."""

    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
    address: str | None = None
    tls: str | None = None

    @property
    def timings(self) -> Timings:
        """Those of a request that got no answer."""
        return Timings(self.dns_us, self.connect_us, self.tls_us)


class NoAnswer(Exception):
    """There was no response; the text says why in words for the sink's owner.

    `address`, `tls` and `timings` are as in an Answer, as far as the request came.
    """

    def __init__(self, why: str, opening: Opening | None = None) -> None:
        super().__init__(why)
        self.address = None if opening is None else opening.address
        self.tls = None if opening is None else opening.tls
        self.timings = NO_TIMINGS if opening is None else opening.timings
