"""What sign-in needs to know of where it runs."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import field_validator

from shared.runtime.environment import FromEnvironment


class IdentitySettings(FromEnvironment):
    """`trusted_proxies` lists, with commas, the networks whose `X-Forwarded-For` is believed.

    Without it every caller behind a gateway counts as one address when tries of passwords are counted.
    """

    trusted_proxies: tuple[str, ...] = ()

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """`WEIR_TRUSTED_PROXIES` holds CIDR networks with commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @cached_property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The same, parsed."""
        return tuple(ip_network(network) for network in self.trusted_proxies)
