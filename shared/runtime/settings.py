"""Settings of a running process, read once from `WEIR_*` and passed in."""

import re
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from shared.auth.sealing_keys import SealingKeys
from shared.runtime.browser import YEAR_SECONDS
from shared.runtime.environment import FromEnvironment

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_USUAL_PORTS = {"http": 80, "https": 443}


class Settings(FromEnvironment):
    """What every function needs to know of where it runs.

    `secret` keys the hashes of API keys, and seals what is secret at rest where no other keys do; it has no default.
    `sealing_keys` are those other keys, or `sealing_keys_file` names a file with them: see `SealingKeys`.
    `token_algorithm` is what new keys sign access tokens with.
    `public_url` is the address under which producers and the console reach Weir.
    `console_origins` lists the other origins whose pages may call the API with a session, exactly as browsers
    write them (`https://console.example.com`), with commas. None of them may be a pattern.
    `sink_allow` lists the networks, private ones included, that deliveries may go to.
    `trusted_proxies` lists, with commas, the networks whose `X-Forwarded-For` is believed. Without it every caller
    behind a gateway has its address: in the audit log, and when tries of passwords are counted.
    `database_read_url` is a replica that answers searches of `explore`; without it the database itself does.
    `metrics_token` opens `/metrics`, which stays closed without one.
    `hsts_seconds` is for how long browsers are to ask by TLS alone, said where `public_url` is https.
    `source_kinds_dir` has files of further kinds of sources.
    """

    database_url: SecretStr
    database_read_url: SecretStr | None = None
    redis_url: SecretStr
    secret: SecretStr
    sealing_keys: SecretStr | None = None
    sealing_keys_file: str | None = None
    token_algorithm: Literal["EdDSA", "ES256"] = "EdDSA"  # noqa: S105 a name
    public_url: str = "http://127.0.0.1:8480"
    console_origins: tuple[str, ...] = ()
    sink_allow: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    database_pool_size: int = Field(default=8, ge=1)
    metrics_token: SecretStr | None = None
    hsts_seconds: int = Field(default=YEAR_SECONDS, ge=0)
    console_dir: str | None = None
    source_kinds_dir: str | None = None

    @field_validator("console_origins", "sink_allow", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """The environment holds lists with commas."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="after")
    def _can_seal(self) -> Self:
        """What cannot be read is to be known at the start, and not when the first secret comes."""
        _ = self.sealing
        return self

    @property
    def sealing(self) -> SealingKeys:
        """What is secret at rest is sealed with these, and opened."""
        return _sealing(self.secret, self.sealing_keys, self.sealing_keys_file)

    @field_validator("console_origins")
    @classmethod
    def _written_as_browsers_do(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin_of(text) for text in value)

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @cached_property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`trusted_proxies`, parsed."""
        return tuple(ip_network(network) for network in self.trusted_proxies)


@lru_cache(maxsize=8)
def _sealing(secret: SecretStr, listed: SecretStr | None, file: str | None) -> SealingKeys:
    """Those of these settings, and of others that say the same."""
    return SealingKeys(secret, listed, file=file)


def origin_of(text: str) -> str:
    """`text` as the `Origin` header has it: in lower case, without the usual port (RFC 6454, section 6.2).

    Raises ValueError for what is not exactly one origin.
    """
    parts = urlsplit(text.lower().removesuffix("/"))
    if parts.scheme not in _USUAL_PORTS or not parts.hostname or "*" in text:
        raise ValueError(
            f"{text!r} is no origin: write it like https://console.example.com, without a pattern"
        )
    # `Origin` is compared letter by letter: a host in another form would never be let in, or let in another one.
    if not (text.isascii() and _HOST.fullmatch(parts.hostname)):
        raise ValueError(
            f"{text!r} has a host that browsers write otherwise: in ASCII, as in https://xn--bcher-kva.example"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = parts.port in {None, _USUAL_PORTS[parts.scheme]}
    origin = f"{parts.scheme}://{host}" + ("" if usual else f":{parts.port}")
    if "@" in parts.netloc or parts.path or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is more than an origin: write {origin}")
    return origin


class ConnectionSettings(FromEnvironment):
    """What a client may take of a connection: past the seconds a request is 408, past the bytes 431."""

    head_timeout_seconds: float = Field(default=15, gt=0)
    body_timeout_seconds: float = Field(default=30, gt=0)
    head_max_bytes: int = Field(default=64 * 1024, ge=8 * 1024)
