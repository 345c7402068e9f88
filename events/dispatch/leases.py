"""Which shards are this process's, and for how long."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Collection

from events.dispatch import queries
from events.dispatch.clock import DatabaseClock
from events.dispatch.work import Shard
from shared.core.ids import SHARDS
from shared.runtime.resources import Resources

LEASE_SECONDS = 10.0
RENEW_BELOW_SECONDS = 7.0
RETRY_SECONDS = 0.25
HOLD_SECONDS = 50.0
"""How long a request may hold a shard; then a fresh one goes on, so that none meets the service's time-out."""

logger = logging.getLogger("weir.dispatch")


class Leases:
    """Takes leases of shards, renews them and gives them back. `shards` are those held."""

    total = SHARDS
    seconds = LEASE_SECONDS

    def __init__(self, resources: Resources, shards: dict[int, Shard], clock: DatabaseClock) -> None:
        self._resources = resources
        self._shards = shards
        self._clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._asking: set[int] = set()
        self._given_back: dict[int, asyncio.Event] = {}
        self.closing = False

    def until(self) -> float:
        """The moment (monotonic) to which a lease holds that is taken or renewed now."""
        return time.monotonic() + LEASE_SECONDS

    async def take(self, numbers: Collection[int]) -> AsyncIterator[set[int]]:
        """Lease those of `numbers` that are free, in parts as they become so.

        That goes on as long as the lease of a dead owner may last. A live owner renews its lease, so nothing
        comes of waiting for it; only one request waits for each shard.
        """
        left = {n for n in numbers if n not in self._asking}
        asked = set(left)
        self._asking |= asked
        try:
            deadline = self.until() + 1
            while left and not self.closing:
                if taken := await self._take(left - self._shards.keys()):
                    left -= taken
                    yield taken
                if not left or time.monotonic() > deadline:
                    break
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._asking -= asked

    async def _take(self, numbers: Collection[int]) -> set[int]:
        if not numbers:
            return set()
        until = self.until()
        pool = await self._resources.pg()
        rows = await queries.acquire(pool, self.owner, numbers, LEASE_SECONDS)
        # Locally no request is open, and nothing ends one that lasts.
        hold = HOLD_SECONDS if self._resources.wake.local is None else float("inf")
        if orphans := [row["shard"] for row in rows if row["former"] is not None]:
            logger.info("shards %s are taken over", orphans)
            await queries.reclaim(pool, orphans)
            if set_back := max(row["set_back"] or 0.0 for row in rows):
                logger.warning("the database's clock was set back by about %.0f s", set_back)
                await queries.bring_forward(pool, orphans, set_back)
        if rows and (set_back := self._clock.observe(rows[0]["now"], until - LEASE_SECONDS)):
            await queries.bring_forward(pool, self._shards.keys(), set_back)
        for row in rows:
            cursor = (row["cursor_xid"], row["cursor_uid"])
            self._shards[row["shard"]] = Shard(
                row["shard"], row["epoch"], cursor, cursor, until, time.monotonic() + hold
            )
            self._given_back[row["shard"]] = asyncio.Event()
        return {row["shard"] for row in rows}

    async def renew(self) -> list[Shard]:
        """Renew leases that run out soon; the shards that somebody else has now."""
        now = time.monotonic()
        ageing = [s for s in self._shards.values() if s.leased_until - now < RENEW_BELOW_SECONDS]
        if not ageing:
            return []
        until = self.until()
        pool = await self._resources.pg()
        ours = await queries.renew(pool, self.owner, {s.number: s.epoch for s in ageing}, LEASE_SECONDS)
        for shard in ageing:
            if shard.number in ours:
                shard.leased_until = until
        lost = [shard for shard in ageing if shard.number not in ours]
        if lost:
            logger.warning("shards %s were taken over by others", [shard.number for shard in lost])
        return lost

    async def holds(self, shard: Shard) -> bool:
        """Whether `shard` is ours: once its lease has run out that is known when it was renewed, or was not.

        A process that was stopped for longer than a lease wakes up with work at hand that another has done since.
        """
        while not shard.lost and shard.leased_until <= time.monotonic():  # noqa: ASYNC110 renewed by several
            await asyncio.sleep(RETRY_SECONDS)
        return not shard.lost

    async def give_back(self, shards: Collection[Shard]) -> None:
        """Let others have `shards` at once."""
        pool = await self._resources.pg()
        await queries.release(pool, self.owner, {shard.number: shard.epoch for shard in shards})
        for shard in shards:
            self.forget(shard)

    def forget(self, shard: Shard) -> None:
        """Do not hold `shard` any more."""
        if self._shards.get(shard.number) is shard:
            del self._shards[shard.number]
            self._given_back.pop(shard.number).set()

    async def given_back(self, number: int) -> None:
        """Wait until that shard is not held any more."""
        if (event := self._given_back.get(number)) is not None:
            await event.wait()
