"""Which addresses Weir may connect to on behalf of its users."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# What `is_global` lets through, or says differently from one Python to the next.
_REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "168.63.129.16/32",  # Azure's metadata, a public address that is not public
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765: any IPv4 address may hide in it, as in the next two
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # IETF's special purposes, Teredo among them
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fec0::/10",
        "ff00::/8",
    )
)


class AddressRefused(OSError):
    """A connection that was not opened, because its address is not public and not allowed."""


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped or IPv4-compatible IPv6 address."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.packed[:12] == bytes(12) and int(address) > 1:
            return IPv4Address(address.packed[12:])
    return address


class AddressGuard:
    """Allows public addresses, unless `public` is false, and the networks in `allowed` (CIDR)."""

    def __init__(self, allowed: Iterable[str] = (), *, public: bool = True) -> None:
        self._allowed: tuple[Network, ...] = tuple(ip_network(text, strict=False) for text in allowed)
        self._public = public

    def allows(self, text: str) -> bool:
        """Whether a connection to this numeric address may be opened. What is not an address is refused."""
        try:
            address = unwrapped(ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        if any(address in network for network in self._allowed):
            return True
        if not self._public or address.is_multicast or not address.is_global:
            return False
        return not any(address in network for network in _REFUSED)

    def check(self, text: str) -> None:
        """Raise AddressRefused unless `text` is allowed."""
        if not self.allows(text):
            raise AddressRefused(f"the address {text} is not public and not allowed for sinks")
