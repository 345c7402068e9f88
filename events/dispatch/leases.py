"""Which shards are this process's, and for how long."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from events.dispatch import queries
from events.dispatch.clock import DatabaseClock
from events.dispatch.work import Shard
from shared.core.ids import SHARDS
from shared.core.shares import moves, targets
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

LEASE_SECONDS = 10.0
RENEW_BELOW_SECONDS = 7.0
RETRY_SECONDS = 0.25
CLAIM_SECONDS = 3.0
"""For how long a process that has asked for shards and got none counts among those who share them."""

HANDED_SECONDS = 5.0
"""How long a shard that was handed over waits for its new owner; then anybody may have it."""

HOLD_SECONDS = 50.0
"""How long a request may hold a shard; then a fresh one goes on, so that none meets the service's time-out."""

TAKEOVERS = METRICS.counter(
    "weir_shard_takeovers_total", "Shards whose owner was gone and did not give them back."
)

logger = logging.getLogger("weir.dispatch")


@dataclass(slots=True)
class View:
    """Who holds what: shards that somebody holds, dead or not, shards that others gave us, shards of the dead, how many
    we should give to whom.
    """

    owned: set[int] = field(default_factory=set)
    received: set[int] = field(default_factory=set)
    orphans: set[int] = field(default_factory=set)
    moves: dict[str, int] = field(default_factory=dict)


class Leases:
    """Takes leases of shards, renews them, hands them on and gives them back. `shards` are those held."""

    total = SHARDS
    seconds = LEASE_SECONDS

    def __init__(self, resources: Resources, shards: dict[int, Shard], clock: DatabaseClock) -> None:
        self._resources = resources
        self._shards = shards
        self._clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._asking: set[int] = set()
        self._given_back: dict[int, asyncio.Event] = {}
        self._others = 0
        self._claimed_at = float("-inf")
        # What the database says of our shards and what `_shards` says change together.
        self._changing = asyncio.Lock()
        self.closing = False

    @property
    def share(self) -> float:
        """Our part of the shards that anybody works on; all of it while nobody else does."""
        mine = len(self._shards)
        return mine / (mine + self._others) if mine else 1.0

    def until(self) -> float:
        """The moment (monotonic) to which a lease holds that is taken or renewed now."""
        return time.monotonic() + LEASE_SECONDS

    async def take(self, numbers: Collection[int]) -> AsyncIterator[set[int]]:
        """Lease those of `numbers` that are free, in parts as they become so, and what others hand over.

        That goes on as long as the lease of a dead owner may last. Only one request waits for each shard, and of those
        that others have only one for all of them: each that is open makes Knative start more instances.
        """
        is_first = not self._asking
        left = {n for n in numbers if n not in self._asking}
        asked = set(left)
        self._asking |= asked
        try:
            deadline = self.until() + 1
            while left and not self.closing:
                if taken := await self._take(left - self._shards.keys()):
                    left -= taken
                    yield taken
                if not left:
                    break
                view = await self.look()
                # What is handed over is told once: more than was asked for has to be started on as well.
                if received := view.received | (left & self._shards.keys()):
                    left -= received
                    yield received
                # Who holds some already sees once a second to those that have an owner. One that has none and could
                # not be taken was locked, most likely by who gave it back just then.
                if not left or time.monotonic() > deadline:
                    break
                if left <= view.owned and (self._shards or not is_first):
                    break
                if not self._shards:
                    await self._claim()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._asking -= asked

    async def _take(self, numbers: Collection[int]) -> set[int]:
        if not numbers:
            return set()
        async with self._changing:
            until = self.until()
            pool = await self._resources.pg()
            rows = await queries.acquire(pool, self.owner, numbers, LEASE_SECONDS)
            if orphans := [row["shard"] for row in rows if row["former"] is not None]:
                logger.info("shards %s are taken over", orphans)
                TAKEOVERS.add(amount=len(orphans))
                await queries.reclaim(pool, orphans)
                if set_back := max(row["set_back"] or 0.0 for row in rows):
                    logger.warning("the database's clock was set back by about %.0f s", set_back)
                    await queries.bring_forward(pool, orphans, set_back)
            if rows and (set_back := self._clock.observe(rows[0]["now"], until - LEASE_SECONDS)):
                await queries.bring_forward(pool, self._shards.keys(), set_back)
            for row in rows:
                self._keep(row, until)
            if rows:
                self._count(await queries.owners(pool, LEASE_SECONDS))
        return {row["shard"] for row in rows}

    def _keep(self, row: "Record", until: float) -> None:
        cursor = (row["cursor_xid"], row["cursor_uid"])
        # Locally no request is open, and nothing ends one that lasts.
        hold = HOLD_SECONDS if self._resources.wake.local is None else float("inf")
        self._shards[row["shard"]] = Shard(
            row["shard"], row["epoch"], cursor, cursor, until, time.monotonic() + hold
        )
        self._given_back[row["shard"]] = asyncio.Event()

    async def _claim(self) -> None:
        """Say that we are here and would take shards, so that those who hold them give us our share."""
        if (now := time.monotonic()) - self._claimed_at > CLAIM_SECONDS / 3:
            await queries.claim(await self._resources.pg(), self.owner, CLAIM_SECONDS)
            self._claimed_at = now

    async def look(self) -> View:
        """See who holds what. Keeps what was handed over to us: those are `received`."""
        view = View()
        claims: set[str] = set()
        async with self._changing:
            asked_at = time.monotonic()
            rows = await queries.owners(await self._resources.pg(), LEASE_SECONDS)
            held = self._count(rows)
            for row in rows:
                number = row["shard"]
                if number is None:
                    claims.add(row["owner"])
                    continue
                view.owned.add(number)
                if row["expired"]:
                    if number not in self._shards:
                        view.orphans.add(number)
                elif row["owner"] == self.owner and number not in self._shards and not self.closing:
                    self._keep(row, asked_at + row["left_seconds"])
                    view.received.add(number)
        if not self.closing:
            # Who does not ask may be dead: it would be given shards only to keep them from those who live.
            view.moves = {heir: n for heir, n in moves(held, self.owner).items() if heir in claims}
            if self._shards and held[self.owner] < targets(held)[self.owner]:
                await self._claim()
        if view.received:
            logger.info("shards %s were handed over to us", sorted(view.received))
        return view

    def _count(self, rows: "list[Record]") -> dict[str, int]:
        """How many shards each has that lives; those that ask for some have none yet."""
        held: dict[str, int] = {self.owner: 0}
        for row in rows:
            if not row["expired"]:
                held[row["owner"]] = held.get(row["owner"], 0) + (row["shard"] is not None)
        self._others = sum(count for owner, count in held.items() if owner != self.owner)
        return held

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

    async def hand_over(self, shards: Mapping[Shard, str]) -> None:
        """Give each of `shards` to the owner that comes with it."""
        async with self._changing:
            pool = await self._resources.pg()
            given = [(shard.number, shard.epoch, to) for shard, to in shards.items()]
            await queries.hand_over(pool, self.owner, given, HANDED_SECONDS)
            for shard in shards:
                self.forget(shard)
        logger.info("shards %s are handed over", sorted(shard.number for shard in shards))

    async def give_back(self, shards: Collection[Shard]) -> None:
        """Let others have `shards` at once."""
        async with self._changing:
            pool = await self._resources.pg()
            await queries.release(pool, self.owner, {shard.number: shard.epoch for shard in shards})
            for shard in shards:
                self.forget(shard)

    async def go(self) -> None:
        """Leave nothing behind: neither a claim nor shards that were handed over and not seen."""
        async with self._changing:
            await queries.go(await self._resources.pg(), self.owner)

    def forget(self, shard: Shard) -> None:
        """Do not hold `shard` any more."""
        if self._shards.get(shard.number) is shard:
            del self._shards[shard.number]
            self._given_back.pop(shard.number).set()

    async def given_back(self, number: int) -> None:
        """Wait until that shard is not held any more."""
        if (event := self._given_back.get(number)) is not None:
            await event.wait()
