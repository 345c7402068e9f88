"""Hints of replays, and ticks: each stays open while what it took on has work."""

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from events.replay import queries
from shared.contracts.replay import Replay as Hint
from shared.contracts.tick import Tick
from shared.db.ticks import note_tick
from shared.runtime.handler import Handler, OwnEvent
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from events.replay.worker import Worker

STAY_SECONDS = 50.0
"""How long one request works on replays; then another one is asked for."""

SOON_SECONDS = 60.0
"""A replay that waits for its rate is waited for so long; what waits longer is left to a tick."""

logger = logging.getLogger("weir.replay")


class Replay:
    """Handles `dev.weir.replay` and `dev.weir.tick`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._owner = uuid4().hex
        self._ending = asyncio.Event()

    async def handle(self, event: OwnEvent) -> None:
        """Work on what is to be done. Raises when the database is away; the next tick tries again."""
        pool = await self._resources.pg()
        if event["type"] == Tick.TYPE:
            await note_tick(pool, "replay")
            waits = await queries.unattended(pool, SOON_SECONDS)
        else:
            replay_id = Hint.model_validate(event["data"]).replay
            waits = {replay_id: 0.0} | await queries.unattended(pool, SOON_SECONDS, replay_id)
        await asyncio.gather(*(self._work(replay_id, wait) for replay_id, wait in waits.items()))

    async def drain(self) -> None:
        """Let others go on: what is under way is one short transaction."""
        self._ending.set()

    async def _work(self, replay_id: UUID, wait: float) -> None:
        from events.replay.worker import LEASE_SECONDS, Worker

        if wait and await self._ends_within(wait):
            return
        pool = await self._resources.pg()
        row = await queries.claim(pool, replay_id, self._owner, LEASE_SECONDS)
        if row is None:
            await self._tidy(replay_id)
            return
        left = await self._stay(Worker(self._resources, row))
        if left is not None and left < SOON_SECONDS:
            hint = Hint(replay=replay_id)
            self._resources.wake.tell(Hint.TYPE, hint.model_dump(mode="json", by_alias=True))

    async def _ends_within(self, seconds: float) -> bool:
        """Wait so long, or until the process ends; whether it does."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return self._ending.is_set()

    async def _stay(self, worker: "Worker") -> float | None:
        """Work for as long as a request may; in how many seconds there is more to do, None for nothing."""
        working = asyncio.ensure_future(worker.run(time.monotonic() + STAY_SECONDS))
        ending = asyncio.ensure_future(self._ending.wait())
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            worker.is_ending = True
        ending.cancel()
        return await working

    async def _tidy(self, replay_id: UUID) -> None:
        """Of one that has ended, take away what was made for it alone."""
        pool = await self._resources.pg()
        async with pool.acquire() as conn, conn.transaction():
            if await queries.has_ended(conn, replay_id):
                await queries.drop_one_off(conn, replay_id)


def create(resources: Resources) -> Handler:
    """The handler of this function."""
    return Replay(resources)
