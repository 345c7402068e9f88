"""How many events a second each producer may send: a token bucket in Redis that all processes share.

A process takes tokens out in portions of a tenth of a second, so that most events cost no round trip.
Redis slow or gone: what is known here decides, at once.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from functions.ingest.answers import Headers
from shared.core.problems import TOO_MANY_REQUESTS, Problem
from shared.core.token_bucket import Limit, Share
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

KEY = "weir:rate:{}"
POLICY = "producer"
"""The name of the policy in the RateLimit fields."""

PATIENCE_SECONDS = 0.005
"""How long a request waits for Redis; then it goes by what is known here."""

ASK_SECONDS = 0.25
PAUSE_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""

SHARES = 10_000

# `Bucket.lease` in Lua. Times are Redis's own, because the clocks of processes differ. A key that has
# expired is a bucket that is full.
LEASE = """
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local need, want, spent = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', KEYS[1], 'balance', 'at')
local balance, at = tonumber(kept[1] or burst), tonumber(kept[2] or now)
local elapsed = now - at
if elapsed > 0 then balance = balance + elapsed * rate end
if elapsed > 0 or elapsed < -1 then at = now end
balance = math.min(balance, burst) - spent
local given = 0
if balance >= 1 then
    given = math.max(need, math.min(need + want, math.floor(balance)))
    balance = balance - given
end
redis.call('HSET', KEYS[1], 'balance', string.format('%.6f', balance), 'at', string.format('%.6f', at))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((burst - balance) / rate * 1000) + 2000))
return {string.format('%.0f', given), string.format('%.6f', balance)}
"""

logger = logging.getLogger("weir.ingest")


@dataclass(slots=True)
class _Held:
    """A share, how many tokens requests wait for, and the question that is under way for them."""

    share: Share
    waiting: int = 0
    asking: "asyncio.Task[None] | None" = None


class Limits:
    """The limits of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._held: dict[str, _Held] = {}
        self._script: AsyncScript | None = None
        self._away = False
        self._away_until = 0.0

    async def enter(self, bucket: str, limit: Limit, cost: int = 1) -> Headers:
        """Take `cost` tokens out of the `bucket`; the fields that tell the producer what is left.

        Raises Problem 429 when there is no token. No I/O while the process has some.
        """
        held = self._held.get(bucket)
        if held is None or held.share.limit != limit:
            held = self._hold(bucket, limit)
        if not held.share.spend(cost, monotonic()) and not await self._admit(bucket, held, cost):
            wait = max(1, ceil(held.share.wait_seconds(monotonic())))
            raise Problem(
                TOO_MANY_REQUESTS,
                f"This producer may send {limit.rate_per_second} events a second. Nothing was stored;"
                f" go on in {wait} s.",
                headers={
                    "Retry-After": str(wait),
                    "RateLimit-Policy": _policy(limit).decode(),
                    "RateLimit": f'"{POLICY}";r=0;t={wait}',
                },
            )
        remaining = held.share.remaining(monotonic())
        # Within `t` seconds no more than `r`: whoever spreads them over it keeps to the rate.
        window = max(1, ceil(remaining / limit.rate_per_second))
        return [
            (b"ratelimit-policy", _policy(limit)),
            (b"ratelimit", b'"%b";r=%d;t=%d' % (POLICY.encode(), remaining, window)),
        ]

    def _hold(self, bucket: str, limit: Limit) -> _Held:
        """Of a bucket with another limit than before, the old share's tokens are let go: they are few."""
        while len(self._held) >= SHARES:
            del self._held[next(iter(self._held))]
        held = self._held[bucket] = _Held(Share(limit, monotonic()))
        return held

    async def _admit(self, bucket: str, held: _Held, cost: int) -> bool:
        """Whether `cost` may be spent, asking Redis if need be."""
        share = held.share
        patience = monotonic() + PATIENCE_SECONDS
        held.waiting += cost
        try:
            while True:
                now = monotonic()
                if share.spend(cost, now):
                    return True
                if share.is_closed(now):
                    return False
                if self._away or now >= patience:
                    self._look_again(bucket, held, now)
                    return share.spend_locally(cost, now)
                if held.asking is None:
                    self._start(bucket, held, cost)
                assert held.asking is not None
                await asyncio.wait({held.asking}, timeout=patience - now)
        finally:
            held.waiting -= cost

    def _look_again(self, bucket: str, held: _Held, now: float) -> None:
        """Ask Redis whether it is there again; nobody waits for that."""
        if self._away and now >= self._away_until and held.asking is None:
            self._away_until = now + PAUSE_SECONDS
            self._start(bucket, held, 0)

    def _start(self, bucket: str, held: _Held, need: int) -> None:
        held.asking = asyncio.get_running_loop().create_task(self._ask(bucket, held, need))

    async def _ask(self, bucket: str, held: _Held, need: int) -> None:
        share, limit = held.share, held.share.limit
        spent = share.settle(monotonic())
        want = limit.portion + max(0, held.waiting - need)
        try:
            script = await self._lease()
            async with asyncio.timeout(ASK_SECONDS):
                given, balance = await script(
                    keys=[KEY.format(bucket)],
                    args=[limit.rate_per_second, limit.burst, need, want, f"{spent:.6f}"],
                )
        except Exception as error:
            # Whatever is wrong with Redis, events are taken in.
            share.unsettle(spent)
            if not self._away:
                logger.warning(
                    "redis does not answer, limits are each process's own: %s: %s",
                    type(error).__name__,
                    error,
                )
            self._away = True
            self._away_until = monotonic() + PAUSE_SECONDS
        else:
            share.answer(float(given), float(balance), monotonic())
            self._away = False
        finally:
            held.asking = None

    async def _lease(self) -> "AsyncScript":
        if self._script is None:
            self._script = (await self._resources.redis()).register_script(LEASE)
        return self._script


@lru_cache(maxsize=1_000)
def _policy(limit: Limit) -> bytes:
    """The RateLimit-Policy field (draft-ietf-httpapi-ratelimit-headers-11, section 3)."""
    quota = max(limit.burst, limit.rate_per_second)
    return b'"%b";q=%d;w=%d' % (POLICY.encode(), quota, ceil(quota / limit.rate_per_second))
