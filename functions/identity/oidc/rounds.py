"""Sign-ins that are under way at the provider, in Redis: each can be finished once, in the browser that began it."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import SecretStr

from shared.auth.keys import hash_token, make_token

if TYPE_CHECKING:
    from redis.asyncio import Redis

LIFETIME_SECONDS = 600
BINDER = "weir_oidc"
"""The cookie that tells the browser that began: whoever has only a link cannot finish (login CSRF)."""


@dataclass(frozen=True, slots=True)
class Round:
    """What was sent to the provider, and has to come back."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody whom the provider knows, and who has to show that an account here is theirs."""

    issuer: str
    subject: str
    email: str


class Rounds:
    """Those of one deployment. Every method raises redis.ConnectionError when Redis is away."""

    def __init__(self, redis: "Redis", secret: SecretStr) -> None:
        self._redis = redis
        self._secret = secret

    async def begin(self, binder: str, redirect_uri: str) -> tuple[str, Round]:
        """A new one; its state and the rest."""
        state, begun = make_token(), Round(make_token(), make_token(), redirect_uri)
        await self._keep("oidc-state", state, binder, asdict(begun))
        return state, begun

    async def finish(self, binder: str, state: str) -> Round | None:
        """The one with that state, if this browser began it. It is gone then."""
        found = await self._take("oidc-state", state, binder)
        return None if found is None else Round(**found)

    async def hold(self, binder: str, known: Known) -> str:
        """Remember somebody until they have signed in to their account; the ticket."""
        ticket = make_token()
        await self._keep("oidc-ticket", ticket, binder, asdict(known))
        return ticket

    async def take(self, binder: str, ticket: str) -> Known | None:
        """Whom a ticket stands for, in this browser, once."""
        found = await self._take("oidc-ticket", ticket, binder)
        return None if found is None else Known(**found)

    async def _keep(self, purpose: str, token: str, binder: str, what: dict[str, Any]) -> None:
        text = msgspec.json.encode({"binder": self._hash("oidc-binder", binder), "what": what})
        await self._redis.set(f"weir:{purpose}:{self._hash(purpose, token)}", text, ex=LIFETIME_SECONDS)

    async def _take(self, purpose: str, token: str, binder: str) -> dict[str, Any] | None:
        text = await self._redis.getdel(f"weir:{purpose}:{self._hash(purpose, token)}")
        if text is None:
            return None
        kept: dict[str, Any] = msgspec.json.decode(text)
        return kept["what"] if kept["binder"] == self._hash("oidc-binder", binder) else None

    def _hash(self, purpose: str, token: str) -> str:
        return hash_token(self._secret, purpose, token).hex()


def is_binder(text: str | None) -> bool:
    """Whether a cookie has the form of one."""
    return text is not None and len(text) == len(make_token()) and text.isascii() and text.isalnum()
