"""Who is at the other end, as far as a server can see."""

from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door. `client` tells one from another, `browser` is in words of ours.

    `device` is what its browser shows of earlier sign-ins, unchecked; `origin` the page that asked, checked, where
    a browser said one; `session` the session that asks, where one does.
    """

    address: str
    client: str
    browser: str
    device: str | None = None
    origin: str | None = None
    session: str | None = None

    @property
    def network(self) -> str:
        """What counts as one address: of IPv6, the /64 that a line gets, since whoever has one has all of it."""
        if ":" not in self.address or not _is_address(self.address):
            return self.address
        return str(ip_network((int(ip_address(self.address)), 64), strict=False))


def client_of(request: Request, address: str) -> str:
    """What tells one client from another; no text of the client's is kept."""
    marks = f"{address} {request.headers.get('user-agent', '')}"
    return sha256(marks.encode()).hexdigest()[:32]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
