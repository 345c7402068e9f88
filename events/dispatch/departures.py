"""How shards leave this process: to an heir, to whoever takes them, or because somebody else has them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable

from events.dispatch.due import DueDeliveries
from events.dispatch.ears import Ears
from events.dispatch.gate import LONG_SECONDS
from events.dispatch.gates import Gates
from events.dispatch.leases import Leases
from events.dispatch.progress import Progress
from events.dispatch.reader import Reader
from events.dispatch.work import Shard
from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources

NEAR_SECONDS = 60.0
"""A retry that is due within this time is waited for."""

LEAVE_SECONDS = 200.0
"""How long a shard whose time is up goes on beside requests that take long, until those have ended."""

MOVE_SECONDS = 3.0
"""How long a shard may take to come to rest so that another process can have it."""

STAY_SECONDS = 10.0
"""How long one that did not is left where it is."""

PAUSE_SECONDS = 0.25
LOOK_SECONDS = 0.025
logger = logging.getLogger("weir.dispatch")

Write = Callable[[Collection[Shard]], Awaitable[None]]
"""Records what has ended of these shards."""


class Departures:
    """Gives `shards` away so that nothing of them is under way when somebody else has them, and nobody is left unheard."""

    def __init__(
        self,
        resources: Resources,
        shards: dict[int, Shard],
        *,
        leases: Leases,
        reader: Reader,
        due: DueDeliveries,
        gates: Gates,
        progress: Progress,
        ears: Ears,
        write: Write,
    ) -> None:
        self._resources = resources
        self._shards = shards
        self._leases = leases
        self._reader = reader
        self._due = due
        self._gates = gates
        self._progress = progress
        self._ears = ears
        self._write = write

    async def renew(self) -> None:
        """Keep the leases, and forget the shards that somebody else has by now."""
        for shard in await self._leases.renew():
            self.lose(shard)

    async def hand_over(self, moves: dict[str, int]) -> None:
        """Give so many shards to each heir, those first that have least to do.

        Nothing of a shard may be under way when somebody else gets it: one of which something takes long goes on
        here until that has ended, and one that does not come to rest in time is tried again later.
        """
        now = time.monotonic()
        chosen = {shard for shard in self._shards.values() if shard.ending}
        for shard in chosen:
            shard.ending = shard.deadline <= now
        self._look_ahead()
        if not moves:
            return
        shards = [s for s in self._shards.values() if not s.leaving and s.stays_until <= now]
        shards.sort(
            key=lambda s: (s.busy_until > 0, s not in chosen, self._under_way(s.number), len(s.works))
        )
        heirs = [heir for heir, count in moves.items() for _ in range(count)]
        given = dict(zip(shards, heirs, strict=False))
        for shard in given:
            shard.ending = True
        given = {shard: heir for shard, heir in given.items() if not shard.busy_until}
        if not given:
            return
        try:
            resting = await self._come_to_rest(list(given), MOVE_SECONDS)
            await self._write(list(self._shards.values()))
            moved = {s: given[s] for s in resting if not s.lost and not s.works}
            if moved:
                await self._leases.hand_over(moved)
                for shard in moved:
                    self.lose(shard)
        finally:
            self._keep_on(given)

    async def end(self, expired: list[Shard], now: float) -> None:
        """Let other requests go on with shards that were held for long enough.

        That takes a moment in which nothing of them is under way. So they go on here until what takes long has ended,
        without anything that would take longer than that: nobody's events wait for a sink that hangs. What has not
        ended after `LEAVE_SECONDS` is left to its row.
        """
        self._look_ahead()
        for shard in expired:
            shard.ending = True
        ready = [shard for shard in expired if not shard.busy_until]
        try:
            resting = await self._come_to_rest(ready, MOVE_SECONDS) if ready else []
            left = [shard for shard in expired if shard not in resting and not shard.lost]
            for going in (resting, [shard for shard in left if shard.deadline + LEAVE_SECONDS <= now]):
                if going:
                    await self._leave(going, MOVE_SECONDS)
                    self._resources.wake.shards({shard.number for shard in going})
        finally:
            self._keep_on(expired)

    async def give_back(self, shards: list[Shard]) -> None:
        """Give idle shards back, after one more look: what came while nobody listened must not wait."""
        for shard in shards:
            shard.leaving = True
        await self._ears.ignore([shard.number for shard in shards])
        given = False
        try:
            if not await self._reader.behind(shards):
                await self._leases.give_back(shards)
                given = True
        finally:
            for shard in shards:
                if given:
                    self.lose(shard)
                elif not shard.lost:
                    self._stay(shard)

    async def hand_on(self, shards: list[Shard], seconds: float) -> None:
        """Let others go on with `shards`, at the latest after so many seconds."""
        for shard in shards:
            shard.leaving = True
        await self._ears.ignore([shard.number for shard in shards])
        deadline = time.monotonic() + seconds
        while shards:
            resting = [shard for shard in shards if not self._is_at_work({shard.number})]
            if not resting and time.monotonic() < deadline:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            going = resting or shards
            await self._leave(going, 0)
            # Afterwards: what came before that, nobody else could have been told of.
            self._resources.wake.shards(await self._left_in(going))
            shards = [shard for shard in shards if shard not in going]

    async def _leave(self, shards: list[Shard], seconds: float) -> None:
        """Take nothing more of `shards`, end what is under way within `seconds`, and give them back."""
        await self._come_to_rest(shards, seconds, patient=True)
        for shard in shards:
            self._progress.let_stand(shard, float("inf"))
        try:
            await self._write(list(self._shards.values()))
            await self._leases.give_back(shards)
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("leases run out by themselves, the database is away: %s", error)
        for shard in shards:
            self.lose(shard)

    async def _come_to_rest(
        self, shards: list[Shard], seconds: float, *, patient: bool = False
    ) -> list[Shard]:
        """Take nothing more of `shards` and wait until nothing of them is under way; those of which that is so.

        The others go on, those of which something turns out to take long as soon as it does; unless it is
        `patient`, then they stay as they are.
        """
        for shard in shards:
            shard.leaving = True
        await self._ears.ignore([shard.number for shard in shards])
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._is_at_work({s.number for s in shards if s.leaving}):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.renew()
            except Exception as error:
                if not is_outage(error):
                    raise
                logger.warning("leases are not renewed, the database is away: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
            if not patient:
                self._look_ahead()
                self._keep_on(shard for shard in shards if shard.busy_until)
        resting = [s for s in shards if s.leaving and not s.lost and not self._is_at_work({s.number})]
        if not patient:
            self._keep_on(shard for shard in shards if shard not in resting)
        return resting

    def _keep_on(self, shards: Iterable[Shard]) -> None:
        """Go on for a while with those of `shards` that could not be given away."""
        for shard in shards:
            if shard.leaving and not shard.lost:
                shard.stays_until = time.monotonic() + STAY_SECONDS
                self._stay(shard)

    def _stay(self, shard: Shard) -> None:
        """Go on with a shard that was to be given away."""
        shard.leaving = False
        self._ears.listen([shard.number])
        self._reader.wake([shard.number])
        self._due.at(0)

    def _look_ahead(self) -> None:
        """Note which shards are held up by something that takes long, and until when.

        A request takes long that has taken long already, or that goes to a sink whose requests do.
        """
        now = time.monotonic()
        for shard in self._shards.values():
            shard.busy_until = 0.0
        for job in self._due.under_way.values():
            if job.started_at is None:
                continue
            gate, shard = self._gates.of_job(job), job.shard
            if now - job.started_at > LONG_SECONDS or gate.is_long:
                # After that, what is under way is left to its row.
                ends = min(gate.ends(job, now), shard.deadline + LEAVE_SECONDS)
                shard.busy_until = max(shard.busy_until, ends)

    def _under_way(self, number: int) -> int:
        jobs = self._due.under_way.values()
        return sum(job.started_at is not None for job in jobs if job.shard.number == number)

    async def _left_in(self, shards: Collection[Shard]) -> set[int]:
        """Those of `shards` with something to do within the next minute; all of them while that cannot be found out."""
        numbers = {shard.number for shard in shards}
        try:
            if await self._due.waits_within(NEAR_SECONDS, numbers):
                return numbers
            return await self._reader.behind(shards)
        except Exception as error:
            if not is_outage(error):
                raise
            return numbers

    def _is_at_work(self, numbers: Collection[int]) -> bool:
        jobs = self._due.under_way.values()
        return any(s.works for s in self._shards.values() if s.number in numbers) or any(
            job.shard.number in numbers and job.started_at is not None for job in jobs
        )

    def lose(self, shard: Shard) -> None:
        """Forget a shard: somebody else has it, or may have it from now on."""
        shard.lost = True
        self._reader.forget(shard)
        self._due.lose(shard)
        self._leases.forget(shard)
        self._ears.drop(shard.number)
