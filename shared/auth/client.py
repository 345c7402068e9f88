"""Who is at the other end, as far as a server can see."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import HTTPConnection


def address_of(request: HTTPConnection, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> str:
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


def address_in(request: HTTPConnection) -> str | None:
    """The same, by what the request's process knows of proxies; None where there is none."""
    return address_of(request, request.app.state.resources.settings.proxy_networks) or None


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
