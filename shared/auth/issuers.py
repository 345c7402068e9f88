"""The public keys of OIDC issuers, found as OpenID Connect Discovery 1.0 says and remembered.

An issuer is asked over https, through the address guard; over http only where the deployment allows
private networks, and then only in those.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from shared.auth.outside_tokens import OutsideKey, read_keys
from shared.auth.tokens import InvalidToken

if TYPE_CHECKING:
    from yarl import URL

    from shared.http.client import OutboundClient

FRESH_SECONDS = 300.0
"""Older keys are used on while they are fetched again beside."""

KEEP_SECONDS = 86_400.0
"""How long keys are used when their issuer does not answer."""

REFETCH_SECONDS = 10.0
"""The least time between two questions to one issuer, whatever comes."""

TIMEOUT_SECONDS = 5.0
DISCOVERY_BYTES = 64 * 1024
JWKS_BYTES = 256 * 1024
MAX_ISSUERS = 1_000

_WELL_KNOWN = "/.well-known/openid-configuration"

logger = logging.getLogger("weir.auth")


class IssuerAway(Exception):
    """There are no keys of the issuer to go by. Asking again is of use after `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("the issuer's keys cannot be had")
        self.retry_after_seconds = retry_after_seconds


def issuer_fault(text: str, *, allows_http: bool) -> str | None:
    """Why `text` cannot be an issuer (OpenID Connect Discovery 1.0, section 2), None when it can."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        return "must be an https URL"
    if parts.scheme == "http" and not allows_http:
        return "must be an https URL"
    if parts.username is not None or parts.password is not None or "?" in text or "#" in text:
        return "must have no user, query or fragment"
    if not text.isascii() or not text.isprintable() or " " in text:
        return "must have printable ASCII characters only"
    return None


@dataclass(slots=True)
class _Remembered:
    """What is known of an issuer. `keys` None: none were ever had."""

    discovery: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[OutsideKey] | None = None
    fetched_at: float = float("-inf")
    asked_at: float = float("-inf")
    asking: "asyncio.Task[None] | None" = None


class Issuers:
    """The keys that one process knows. `allowed` are the private networks (CIDR) that issuers may be in."""

    def __init__(self, allowed: Sequence[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = allowed
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def keys(self, issuer: str, kid: str | None) -> Sequence[OutsideKey]:
        """The issuer's keys with this id; all of them without one. No I/O while they are fresh.

        Raises IssuerAway when the issuer's keys cannot be had and none are remembered.
        """
        known = await self._known(issuer)
        found = _with_id(known.keys or (), kid)
        if not found:
            # A key that has come up since. The answer to made-up ids is remembered for REFETCH_SECONDS.
            await self._ask(issuer, known)
            found = _with_id(known.keys or (), kid)
        return found

    async def discovery(self, issuer: str) -> Mapping[str, Any]:
        """What the issuer says of itself (OpenID Connect Discovery 1.0, section 3), remembered like its keys.

        Raises IssuerAway.
        """
        return (await self._known(issuer)).discovery

    async def _known(self, issuer: str) -> _Remembered:
        known = self._remembered.get(issuer)
        if known is None:
            while len(self._remembered) >= MAX_ISSUERS:
                del self._remembered[next(iter(self._remembered))]
            known = self._remembered[issuer] = _Remembered()
        age = self._clock() - known.fetched_at
        if known.keys is None or age >= KEEP_SECONDS:
            await self._ask(issuer, known)
            if known.keys is None or self._clock() - known.fetched_at >= KEEP_SECONDS:
                raise IssuerAway(self._retry_after(known))
        elif age >= FRESH_SECONDS:
            self._start(issuer, known)
        return known

    def _retry_after(self, known: _Remembered) -> int:
        return max(1, ceil(known.asked_at + REFETCH_SECONDS - self._clock()))

    async def _ask(self, issuer: str, known: _Remembered) -> None:
        """Fetch the keys, unless that was tried lately. Whoever asks meanwhile shares the outcome."""
        self._start(issuer, known)
        if known.asking is not None:
            await asyncio.shield(known.asking)

    def _start(self, issuer: str, known: _Remembered) -> None:
        now = self._clock()
        if known.asking is None and now - known.asked_at >= REFETCH_SECONDS:
            known.asked_at = now
            known.asking = asyncio.get_running_loop().create_task(self._fill(issuer, known))

    async def _fill(self, issuer: str, known: _Remembered) -> None:
        started = self._clock()
        try:
            async with asyncio.timeout(2 * TIMEOUT_SECONDS):
                known.discovery, known.keys = await self._fetch(issuer)
            known.fetched_at = started
        except Exception as error:
            logger.warning("no keys from the issuer %s: %s: %s", issuer, type(error).__name__, error)
        finally:
            known.asking = None

    async def _fetch(self, issuer: str) -> tuple[Mapping[str, Any], Sequence[OutsideKey]]:
        discovery = await self._get(issuer.removesuffix("/") + _WELL_KNOWN, DISCOVERY_BYTES)
        if discovery.get("issuer") != issuer:
            raise InvalidToken("the document is of another issuer")
        address = discovery.get("jwks_uri")
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise InvalidToken("the document names no jwks_uri")
        return discovery, read_keys(await self._get(address, JWKS_BYTES))

    async def _get(self, address: str, most_bytes: int) -> dict[str, Any]:
        from yarl import URL

        url = URL(address)
        client = self._client(url)
        try:
            answer = await client.get(
                url,
                (("accept", "application/json"), ("user-agent", "weir")),
                timeout_seconds=TIMEOUT_SECONDS,
                body_bytes=most_bytes,
            )
        finally:
            await client.close()
        if answer.status != 200 or answer.truncated:
            reason = "too much" if answer.truncated else f"status {answer.status}"
            raise InvalidToken(f"{address} answered {reason}")
        return msgspec.json.decode(answer.body, type=dict[str, Any])

    def _client(self, url: "URL") -> "OutboundClient":
        """One for each fetch: they are rare, and a pool of connections would have to be closed by somebody."""
        from shared.http.addresses import AddressGuard
        from shared.http.client import OutboundClient

        return OutboundClient(AddressGuard(self._allowed, public=url.scheme == "https"), connections=1)


def _with_id(keys: Sequence[OutsideKey], kid: str | None) -> Sequence[OutsideKey]:
    return keys if kid is None else [key for key in keys if key.kid == kid]
