"""Who is at the other end, as far as a server can see."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door. `client` tells one from another, `browser` is in words of ours.

    `device` is what its browser shows of earlier sign-ins, unchecked; `origin` the page that asked, checked, where
    a browser said one.
    """

    address: str
    client: str
    browser: str
    device: str | None = None
    origin: str | None = None

    @property
    def network(self) -> str:
        """What counts as one address: of IPv6, the /64 that a line gets, since whoever has one has all of it."""
        if ":" not in self.address or not _is_address(self.address):
            return self.address
        return str(ip_network((int(ip_address(self.address)), 64), strict=False))


def address_of(request: Request, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> str:
    """The address that the request came from.

    Each proxy appends the address that it sees to `X-Forwarded-For`, so it is read from the right for
    as long as those who say so are trusted; what a client writes there itself is left of that.
    """
    address = request.client.host if request.client is not None else ""
    for said in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        if not _is_in(address, proxies) or not _is_address(said.strip()):
            break
        address = said.strip()
    return address


def client_of(request: Request, address: str) -> str:
    """What tells one client from another; no text of the client's is kept."""
    marks = f"{address} {request.headers.get('user-agent', '')}"
    return sha256(marks.encode()).hexdigest()[:32]


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
