"""Sessions: families of refresh tokens in Redis, of which only the newest one works.

A token is `<family>.<value>.<tag>`. The tag proves that it was issued here, so that a made-up token cannot
end anybody's session. The next token is derived from the one before: whoever loses the answer to a refresh
gets the same answer again within a few seconds. Redis has only a keyed hash of the newest token.
"""

import hmac
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, get_args
from uuid import UUID

from pydantic import SecretStr

from functions.identity.visitor import Visitor
from shared.auth.keys import hash_token, make_token

if TYPE_CHECKING:
    from redis.asyncio import Redis

IDLE_SECONDS = 14 * 24 * 3600
"""A session that is not refreshed for so long ends."""

LONGEST_SECONDS = 90 * 24 * 3600
"""A session ends then, however much it is used."""

PROOF_SECONDS = 10 * 60
"""For so long after signing in, or proving it again, somebody may change what opens their account."""

How = Literal["password", "link", "passkey", "sso", "invitation", "device"]
"""What a session was started by."""

GRACE_SECONDS = 10
"""For so long a token that was just used gets the same answer again, from the same client."""

_CHAIN = 64
"""How many refreshes within the grace can be followed."""

_FAMILY_LENGTH = 22

_ROTATE = """
local s = redis.call('HMGET', KEYS[1], 'current', 'used', 'client', 'ends')
if not s[1] then return {'gone'} end
local shown, new, now, client = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local left = tonumber(s[4]) - now
if left <= 0 then redis.call('DEL', KEYS[1]) return {'gone'} end
local grace, recent, again = tonumber(ARGV[5]), '', false
for hash, at in string.gmatch(s[2], '(%x+):(%d+)') do
  if now - tonumber(at) <= grace then
    recent = recent .. hash .. ':' .. at .. ' '
    if hash == shown then again = true end
  end
end
if s[1] == shown then
  redis.call('HSET', KEYS[1], 'current', new, 'used', recent .. shown .. ':' .. now, 'client', client,
    'last', now, 'address', ARGV[7], 'browser', ARGV[8])
  redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(ARGV[6])))
  return {'rotated', new}
end
if again and s[3] == client then return {'again', s[1]} end
redis.call('DEL', KEYS[1])
return {'reused'}
"""

# `HSET` alone would bring a session back that ends meanwhile, without its end.
_PROVE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'proved', ARGV[1], 'proved_by', ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's id and the refresh token that works now."""

    family: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is told of a session. None of it opens anything."""

    id: str
    how: How
    started_at: datetime
    last_used_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How and when whoever has the session last proved who they are."""

    how: How
    at: datetime

    @property
    def is_recent(self) -> bool:
        """Whether it is recent enough for what needs one."""
        return (datetime.now(UTC) - self.at).total_seconds() <= PROOF_SECONDS


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a refresh token was not exchanged."""

    why: Literal["unknown", "gone", "reused"]


class Sessions:
    """The sessions of one deployment. Every method raises redis.ConnectionError when Redis is away."""

    def __init__(self, redis: "Redis", secret: SecretStr) -> None:
        self._redis = redis
        self._secret = secret

    async def start(self, user_id: UUID, visitor: Visitor, how: How) -> Session:
        """A new session of that user. One that a device was given proves nothing of who is there."""
        family = make_token()[:_FAMILY_LENGTH]
        token = self._tagged(family, self._value(f"first {make_token()}"))
        now = _now_ms()
        async with self._redis.pipeline(transaction=True) as batch:
            batch.hset(
                _session(family),
                mapping={
                    "user": str(user_id),
                    "current": self._hash(token),
                    "used": "",
                    "client": visitor.client,
                    "ends": str(now + LONGEST_SECONDS * 1000),
                    "how": how,
                    "started": str(now),
                    "last": str(now),
                    "proved_by": how,
                    "proved": "0" if how == "device" else str(now),
                    "address": visitor.address,
                    "browser": visitor.browser,
                },
            )
            batch.expire(_session(family), IDLE_SECONDS)
            batch.sadd(_of_user(user_id), family)
            batch.expire(_of_user(user_id), LONGEST_SECONDS)
            await batch.execute()
        return Session(family, token)

    def family_of(self, token: str) -> str | None:
        """The session that `token` was issued for, or None when it was not issued here."""
        family, _, rest = token.partition(".")
        value = rest.partition(".")[0]
        if len(token) > 256 or not token.isascii():
            return None
        return family if hmac.compare_digest(token, self._tagged(family, value)) else None

    async def user_of(self, family: str) -> UUID | None:
        """Whose session it is, while it lives."""
        user = await self._redis.hget(_session(family), "user")
        return None if user is None else UUID(str(user))

    async def how_of(self, family: str) -> How | None:
        """What it was started by, while it lives."""
        how, user = await self._redis.hmget(_session(family), "how", "user")
        return None if user is None else _how(how)

    async def rotate(self, family: str, token: str, visitor: Visitor) -> Session | Refused:
        """Exchange `token` for the next one. An earlier one ends the session, unless it was just used here."""
        answer = await self._redis.eval(
            _ROTATE,
            1,
            _session(family),
            self._hash(token),
            self._hash(self._next(family, token)),
            _now_ms(),
            visitor.client,
            GRACE_SECONDS * 1000,
            IDLE_SECONDS * 1000,
            visitor.address,
            visitor.browser,
        )
        if answer[0] not in {"rotated", "again"}:
            return Refused("reused" if answer[0] == "reused" else "gone")
        for _ in range(_CHAIN):
            token = self._next(family, token)
            if self._hash(token) == answer[1]:
                return Session(family, token)
        return Refused("gone")

    async def of_user(self, user_id: UUID) -> list[Kept]:
        """The user's sessions, the one that was used last first. Those that ended by themselves are forgotten."""
        families = sorted(str(family) for family in await self._redis.smembers(_of_user(user_id)))
        async with self._redis.pipeline(transaction=False) as batch:
            for family in families:
                batch.hgetall(_session(family))
            found = dict(zip(families, await batch.execute(), strict=True)) if families else {}
        if ended := [family for family, kept in found.items() if not kept]:
            await self._redis.srem(_of_user(user_id), *ended)
        sessions = [_kept(family, kept) for family, kept in found.items() if kept]
        return sorted(sessions, key=lambda session: session.last_used_at, reverse=True)

    async def proof_of(self, family: str | None) -> Proof | None:
        """How its owner last proved who they are, while the session lives."""
        if family is None:
            return None
        how, proved, user = await self._redis.hmget(_session(family), "proved_by", "proved", "user")
        return None if user is None else Proof(_how(how), _instant(int(proved or 0)))

    async def prove(self, family: str, how: How) -> bool:
        """Note that its owner has just proved who they are. False when the session has ended."""
        return bool(await self._redis.eval(_PROVE, 1, _session(family), _now_ms(), how))

    async def end(self, family: str, *, of: UUID | None = None) -> bool:
        """End one session, if it is that user's. False when there was none."""
        user = await self._redis.hget(_session(family), "user")
        if user is None or (of is not None and UUID(str(user)) != of):
            return False
        await self._redis.delete(_session(family))
        await self._redis.srem(_of_user(UUID(str(user))), family)
        return True

    async def end_others(self, user_id: UUID, keep: str | None) -> int:
        """End every session of the user but `keep`. How many there were."""
        families = {str(family) for family in await self._redis.smembers(_of_user(user_id))} - {keep}
        if families:
            ended = await self._redis.delete(*(_session(family) for family in families))
            await self._redis.srem(_of_user(user_id), *families)
            return int(ended)
        return 0

    def _next(self, family: str, token: str) -> str:
        return self._tagged(family, self._value(f"next {token}"))

    def _value(self, of: str) -> str:
        return hash_token(self._secret, "refresh-value", of).hex()

    def _tagged(self, family: str, value: str) -> str:
        tag = hash_token(self._secret, "refresh-tag", f"{family}.{value}").hex()[:32]
        return f"{family}.{value}.{tag}"

    def _hash(self, token: str) -> str:
        return hash_token(self._secret, "refresh-hash", token).hex()


def _session(family: str) -> str:
    return f"weir:session:{family}"


def _of_user(user_id: UUID) -> str:
    return f"weir:user-sessions:{user_id}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _kept(family: str, kept: dict[str, str]) -> Kept:
    # What a session of an earlier version lacks follows from its end, as far as it can.
    started = int(kept.get("started") or int(kept["ends"]) - LONGEST_SECONDS * 1000)
    return Kept(
        id=family,
        how=_how(kept.get("how")),
        started_at=_instant(started),
        last_used_at=_instant(int(kept.get("last") or started)),
        address=kept.get("address", ""),
        browser=kept.get("browser", ""),
    )


def _how(text: object) -> How:
    return next((how for how in get_args(How) if how == text), "password")


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
