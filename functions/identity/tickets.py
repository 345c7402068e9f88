"""What sign-in keeps between two requests: for some minutes, in Redis, found by a token that Redis does not have."""

import json
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from shared.auth.keys import hash_token, make_token

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Tickets:
    """Tickets of one kind. Every method raises redis.ConnectionError when Redis is away."""

    def __init__(self, redis: "Redis", secret: SecretStr, kind: str, seconds: int) -> None:
        self._redis = redis
        self._secret = secret
        self._kind = kind
        self._seconds = seconds

    async def give(self, about: dict[str, Any], *, token: str | None = None) -> str:
        """A new ticket that holds `about`; its token."""
        token = token or make_token()
        await self._redis.set(self._key(token), json.dumps(about), ex=self._seconds)
        return token

    async def look(self, token: str) -> dict[str, Any] | None:
        """What a ticket holds, while it is good."""
        return _read(await self._redis.get(self._key(token)))

    async def take(self, token: str) -> dict[str, Any] | None:
        """The same, and use it up. Of any number of calls at the same time, one gets it."""
        return _read(await self._redis.getdel(self._key(token)))

    def _key(self, token: str) -> str:
        return f"weir:{self._kind}:{hash_token(self._secret, self._kind, token).hex()}"


def _read(text: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found
