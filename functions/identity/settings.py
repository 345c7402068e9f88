"""What sign-in needs to know of where it runs."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from pydantic import field_validator

from shared.runtime.environment import FromEnvironment


class IdentitySettings(FromEnvironment):
    """`trusted_proxies` lists, with commas, the networks whose `X-Forwarded-For` is believed.

    Without it every caller behind a gateway counts as one address when tries of passwords are counted.
    `cookie_same_site` is `strict` where the console is on the API's own site, as `console.example.com` and
    `api.example.com` are. `none` is for a console on another site; it needs HTTPS, and the cookie is then
    partitioned: browsers that keep no other cookies of third parties keep it, for that console alone.
    """

    trusted_proxies: tuple[str, ...] = ()
    cookie_same_site: Literal["strict", "none"] = "strict"

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
