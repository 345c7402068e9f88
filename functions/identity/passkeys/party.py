"""Whom a passkey is for (Web Authentication Level 3, section 5.1.2: the relying party's id)."""

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Party:
    """The name of the host that passkeys are kept under, and the one origin whose pages may use them."""

    id: str
    origin: str


def party_of(origin: str | None, public_url: str, console_origins: Collection[str]) -> Party | None:
    """The party of a page at `origin`: its own host, if it is one of Weir's. None where there can be no passkey.

    An address is no name, so browsers make no passkeys for one. What is at `http://127.0.0.1` is at
    `http://localhost` too, and there they do.
    """
    url = urlsplit(public_url)
    own = f"{url.scheme}://{url.netloc}"
    allowed = {own, *console_origins}
    if _is_loopback(url.hostname):
        allowed.add(f"{url.scheme}://localhost" + (f":{url.port}" if url.port is not None else ""))
    if origin is None or origin not in allowed:
        return None
    host = urlsplit(origin).hostname
    if host is None or _is_address(host):
        return None
    return Party(host, origin)


def _is_loopback(host: str | None) -> bool:
    return host is not None and _is_address(host) and ip_address(host).is_loopback


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
