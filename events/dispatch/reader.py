"""Reads events in the order of their commits and has them routed."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from events.dispatch import queries
from events.dispatch.router import Router
from events.dispatch.subscriptions import SubscriptionCache
from events.dispatch.work import Shard, Work
from shared.core.ids import floor, timestamp_ms
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

WINDOW = 768
WINDOW_BYTES = 64 * 1024 * 1024
"""What may be read and not recorded, in one process."""

DELIVERIES = 1_024
"""How many deliveries those events may amount to, but for those of the last of them."""

BATCH = 512
BUSY = 128
"""While so many events are in memory, reading waits a moment: then a read finds more."""

BUSY_SECONDS = 0.02
DAY_MS = 86_400_000
HORIZON_SECONDS = (0.001, 0.05)
"""When to look again for events that are committed while an older transaction is not.

Most often that is a neighbour whose commit is on its way to the disk; after `NEIGHBOURS` looks it is something
else, and the wait grows.
"""

NEIGHBOURS = 30

logger = logging.getLogger("weir.dispatch")


class Reader:
    """Reads the shards that have news, as far as there is room in memory."""

    def __init__(
        self,
        resources: Resources,
        shards: dict[int, Shard],
        subscriptions: SubscriptionCache,
        router: Router,
    ) -> None:
        self._resources = resources
        self._shards = shards
        self._subscriptions = subscriptions
        self._router = router
        self._news: set[int] = set()
        self._changed = asyncio.Event()
        self._blocked = 0
        self._fan_out = 1.0
        self.works = 0
        self._bytes = 0
        self._deliveries = 0

    @property
    def has_news(self) -> bool:
        """Whether some shard has to be read."""
        return bool(self._news)

    def wake(self, shards: Iterable[int]) -> None:
        """Read these shards soon."""
        self._news.update(shards)
        self._changed.set()

    def look_after(self, seconds: float) -> None:
        """Read every shard after that time at the latest."""
        asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        self.wake(number for number, shard in self._shards.items() if not shard.leaving)

    def recorded(self, works: int, size: int, deliveries: int) -> None:
        """So many events are on record with their deliveries, and out of memory."""
        self.works -= works
        self._bytes -= size
        self._deliveries -= deliveries
        self._changed.set()

    def forget(self, shard: Shard) -> None:
        """A shard is lost: its events are somebody else's."""
        self.works -= len(shard.works)
        self._bytes -= sum(work.size for work in shard.works)
        self._deliveries -= sum(work.deliveries for work in shard.works)
        shard.works.clear()
        self._changed.set()

    async def step(self) -> bool:
        """Wait for news and room, then read once; whether there was something."""
        while True:
            self._changed.clear()
            shards = [s for n in self._news if (s := self._shards.get(n)) is not None and not s.leaving]
            self._news = {shard.number for shard in shards}
            if shards and self._room > 0 and self._bytes < WINDOW_BYTES:
                break
            await self._changed.wait()
        self._news.clear()
        try:
            rows = await self._read(shards)
            await self._take(rows, {shard.number: shard for shard in shards})
        except BaseException:
            self._news.update(shard.number for shard in shards)
            raise
        if self.works > BUSY:
            await asyncio.sleep(BUSY_SECONDS)
        return bool(rows)

    @property
    def _room(self) -> int:
        """How many more events may be read, if they amount to as many deliveries each as those of the last read."""
        left = DELIVERIES - self._deliveries
        return min(BATCH, WINDOW - self.works, max(1, int(left / self._fan_out))) if left > 0 else 0

    async def _read(self, shards: Collection[Shard]) -> "list[Record]":
        limit = self._room
        each = max(16, 2 * limit // len(shards))
        rows = await queries.read(
            await self._resources.stream(),
            [(shard.number, *shard.position) for shard in shards],
            since=_since(shards),
            each=each,
            limit=limit,
            byte_limit=WINDOW_BYTES - self._bytes,
        )
        counts: dict[int, int] = {}
        for row in rows:
            counts[row["shard"]] = counts.get(row["shard"], 0) + 1
        for shard in shards:
            shard.looked_back = True
            if len(rows) >= limit or counts.get(shard.number, 0) >= each:
                self.wake((shard.number,))
        return rows

    async def _take(self, rows: "list[Record]", shards: dict[int, Shard]) -> None:
        now = time.monotonic()
        passed: set[Shard] = set()
        events = deliveries = 0
        for index, row in enumerate(rows):
            if not row["settled"]:
                if index:
                    self._blocked = 0
                self._behind_horizon({r["shard"] for r in rows[index:]})
                return
            subscribers = await self._subscriptions.get(row["project_id"], row["version"])
            shard = shards[row["shard"]]
            if shard.lost or shard.leaving or shard in passed:
                # It may come back before the next of its rows: those are read again with this one then.
                passed.add(shard)
                continue
            position = (row["xid"], row["uid"])
            size = len(row["data"] or b"")
            work = Work(shard, row["xid"], row["uid"], size, now)
            shard.works.append(work)
            shard.position = position
            self.works += 1
            self._bytes += size
            self._router.route(work, row, subscribers)
            self._deliveries += work.deliveries
            events, deliveries = events + 1, deliveries + work.deliveries
            if self._deliveries >= DELIVERIES:
                # There were more to an event than to those before: the rest is read again when there is room.
                self.wake({r["shard"] for r in rows[index + 1 :]})
                break
        self._blocked = 0
        if events:
            self._fan_out = max(1.0, deliveries / events)

    def _behind_horizon(self, shards: Collection[int]) -> None:
        """Look again soon for events that follow, in commit order, a transaction that has not ended."""
        self._blocked += 1
        wait = min(HORIZON_SECONDS[0] * max(1, self._blocked - NEIGHBOURS), HORIZON_SECONDS[1])
        asyncio.get_running_loop().call_later(wait, self.wake, tuple(shards))

    async def behind(self, shards: Collection[Shard]) -> set[int]:
        """Those of `shards` that have something that was not read."""
        rows = await queries.read(
            await self._resources.stream(),
            [(shard.number, *shard.position) for shard in shards],
            since=_since(shards),
            each=1,
            limit=len(shards),
            byte_limit=WINDOW_BYTES,
        )
        return {row["shard"] for row in rows}


def _since(shards: Collection[Shard]) -> UUID:
    """Where to start looking: a day before the oldest position, because clocks differ; at first, anywhere.

    Order is by transaction, so an event may have an earlier uid than one that was read before it.
    """
    if not all(shard.looked_back for shard in shards):
        return floor(0)
    return floor(min(timestamp_ms(shard.position[1]) for shard in shards) - DAY_MS)
