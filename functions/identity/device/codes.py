"""Requests of devices for a session (RFC 8628), in Redis: each waits ten minutes for somebody to decide.

A device has a long code that only it knows, and a short one for a person to compare or type. Of both Redis has keyed
hashes.
"""

import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from pydantic import SecretStr

from functions.identity.visitor import Visitor
from shared.auth.keys import hash_token, make_token

if TYPE_CHECKING:
    from redis.asyncio import Redis

LIFETIME_SECONDS = 600
INTERVAL_SECONDS = 5
"""How long a device waits between two questions (section 3.2); each that comes too early adds as much (section 3.5)."""

EARLY_MS = 500
"""How much too early a question may come: a device's clock and the network are no watches."""

LONGEST_INTERVAL_SECONDS = 60

_SIGNS = "BCDFGHJKLMNPQRSTVWXZ"
"""Section 6.1: no vowels, so no words, and nothing that could be taken for a digit."""

_CODE_LENGTH = 8

_POLL = """
local s = redis.call('HMGET', KEYS[1], 'state', 'user', 'interval', 'polled', 'session')
if not s[1] then return {'gone'} end
if s[1] ~= 'pending' then redis.call('DEL', KEYS[1]) return {s[1], s[2], s[5] or ''} end
local now, interval, state = tonumber(ARGV[1]), tonumber(s[3]), 'pending'
if s[4] and now - tonumber(s[4]) < interval * 1000 - tonumber(ARGV[2]) then
  interval, state = math.min(interval + tonumber(ARGV[3]), tonumber(ARGV[4])), 'slow'
end
redis.call('HSET', KEYS[1], 'polled', now, 'interval', interval)
return {state, tostring(interval)}
"""

_DECIDE = """
if redis.call('HGET', KEYS[1], 'state') ~= 'pending' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'user', ARGV[2], 'session', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Codes:
    """What a device is given."""

    device_code: str = field(repr=False)
    user_code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """What is told of a device to whoever has its short code. `name` is what it calls itself: nobody checked."""

    user_code: str
    name: str
    program: str
    address: str
    asked_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device hears: that it waits, too fast or not, or what was decided, by whom, and in which session."""

    state: Literal["gone", "pending", "slow", "denied", "approved"]
    user_id: UUID | None = None
    session: str = ""
    interval_seconds: int = INTERVAL_SECONDS


class DeviceCodes:
    """The requests of one deployment. Every method raises redis.ConnectionError when Redis is away."""

    def __init__(self, redis: "Redis", secret: SecretStr) -> None:
        self._redis = redis
        self._secret = secret

    async def make(self, visitor: Visitor, name: str) -> Codes:
        """A request that waits from now on."""
        device_code = make_token()
        user_code = "".join(secrets.choice(_SIGNS) for _ in range(_CODE_LENGTH))
        now = time.time()
        key = self._device(device_code)
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(
                key,
                mapping={
                    "state": "pending",
                    "interval": INTERVAL_SECONDS,
                    "name": name,
                    "program": visitor.browser,
                    "address": visitor.address,
                    "asked": str(now),
                },
            )
            batch.expire(key, LIFETIME_SECONDS)
            # Of two with the same short code, once in billions, the later one is decided and the other expires.
            batch.set(self._user(user_code), key, ex=LIFETIME_SECONDS)
            await batch.execute()
        return Codes(device_code, spelled(user_code), _instant(now + LIFETIME_SECONDS))

    async def asked(self, user_code: str) -> Asked | None:
        """The request with that short code that waits for a decision."""
        plain = normalized(user_code)
        key = await self._redis.get(self._user(plain)) if plain is not None else None
        if plain is None or key is None:
            return None
        found = await self._redis.hgetall(str(key))
        if found.get("state") != "pending":
            return None
        asked = float(found["asked"])
        return Asked(
            user_code=spelled(plain),
            name=str(found["name"]),
            program=str(found["program"]),
            address=str(found["address"]),
            asked_at=_instant(asked),
            expires_at=_instant(asked + LIFETIME_SECONDS),
        )

    async def decide(
        self, user_code: str, user_id: UUID, session: str, decision: Literal["approved", "denied"]
    ) -> bool:
        """Decide, once. False when nothing waits with that short code."""
        plain = normalized(user_code)
        if plain is None:
            return False
        key = await self._redis.get(self._user(plain))
        if key is None:
            return False
        return bool(
            await self._redis.eval(_DECIDE, 2, str(key), self._user(plain), decision, str(user_id), session)
        )

    async def poll(self, device_code: str) -> Answer:
        """What the device hears now. A decision is told once."""
        state, *said = await self._redis.eval(
            _POLL,
            1,
            self._device(device_code),
            time.time_ns() // 1_000_000,
            EARLY_MS,
            INTERVAL_SECONDS,
            LONGEST_INTERVAL_SECONDS,
        )
        if state in {"pending", "slow"}:
            return Answer(state, interval_seconds=int(said[0]))
        if state == "gone":
            return Answer(state)
        return Answer(state, user_id=UUID(str(said[0])), session=str(said[1]))

    def _device(self, code: str) -> str:
        return f"weir:device:{hash_token(self._secret, 'device-code', code).hex()}"

    def _user(self, code: str) -> str:
        return f"weir:device-code:{hash_token(self._secret, 'user-code', code).hex()}"


def normalized(user_code: str) -> str | None:
    """What somebody typed, without what does not count (section 6.1); None for what cannot be a code."""
    plain = "".join(sign for sign in user_code.upper() if sign.isalnum())
    return plain if len(plain) == _CODE_LENGTH and set(plain) <= set(_SIGNS) else None


def spelled(user_code: str) -> str:
    """`BCDF-GHJK`: as it is easiest to compare."""
    return f"{user_code[:4]}-{user_code[4:]}"


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
