"""The work of one process on the shards whose leases it holds.

Five loops share the memory of `work.py`: one reads events and routes them, one brings rows that are due, one
records what has ended, one keeps leases and gives them back, one listens for news. Requests to sinks run in the gates'
tasks.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable

from events.dispatch import orders
from events.dispatch.clock import DatabaseClock
from events.dispatch.due import DueDeliveries
from events.dispatch.ears import Ears
from events.dispatch.gate import LONG_SECONDS, Surroundings
from events.dispatch.gates import Gates
from events.dispatch.health import SinkHealth
from events.dispatch.leases import Leases
from events.dispatch.load import Load
from events.dispatch.progress import Progress
from events.dispatch.reader import Reader
from events.dispatch.recorder import Batch, Recorder
from events.dispatch.router import Router
from events.dispatch.subscriptions import SubscriptionCache
from events.dispatch.work import Job, Shard
from shared.core.retry import Outcome
from shared.http.addresses import AddressGuard
from shared.http.client import OutboundClient
from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources
from shared.sending.sender import Sender

PATIENCE_SECONDS = 0.5
"""How long an event may hold up the record of those after it; then a row stands for what is still under way."""

SWEEP_SECONDS = 0.1
RECORD_GAP_SECONDS = 0.02
"""Between two commits while there is a lot to do: nobody waits for the record but the reader's window."""

ORDERED_GAP_SECONDS = 0.004
"""The same while deliveries of some order go out: the next one waits for the record of the one before."""

KEEP_SECONDS = 1.0
LINGER_SECONDS = 15.0
NEAR_SECONDS = 60.0
"""A retry that is due within this time is waited for."""

LEAVE_SECONDS = 200.0
"""How long a shard whose time is up goes on beside requests that take long, until those have ended."""

DRAIN_SECONDS = 15.0
JOIN_SECONDS = 2.0
MOVE_SECONDS = 3.0
"""How long a shard may take to come to rest so that another process can have it."""

STAY_SECONDS = 10.0
"""How long one that did not is left where it is."""

PAUSE_SECONDS = 0.25
logger = logging.getLogger("weir.dispatch")


class Dispatcher:
    """Holds shards as long as they have work. `serve` is a request's part in that."""

    def __init__(self, resources: Resources, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self._resources = resources
        self._linger_seconds = linger_seconds
        self.shards: dict[int, Shard] = {}
        self._client = OutboundClient(AddressGuard(resources.settings.sink_allow))
        self._sender = Sender(resources, self._client)
        self._subscriptions = SubscriptionCache(resources)
        self._gates = Gates(Surroundings(self._run, lambda: self._leases.share))
        self._clock = DatabaseClock()
        self._leases = Leases(resources, self.shards, self._clock)
        self._recorder = Recorder(resources, self._leases.owner, self._leases.seconds)
        self._due = DueDeliveries(
            resources, self.shards, self._gates, self._subscriptions, self._recorder, clock=self._clock
        )
        self._progress = Progress(self._sender, self._gates, self._due, self._recorder)
        self._reader = Reader(resources, self.shards, self._subscriptions, Router(self._gates))
        self._ears = Ears(resources, self._heard)
        self._health = SinkHealth(resources, self._leases.owner, self._gates)
        self._load = Load(resources.wake, self.shards, self._due, self._gates)
        self._writing = asyncio.Lock()
        self._ending = asyncio.Event()
        self._hurry = False
        self._swept_at = 0.0
        self._busy_at = float("-inf")
        self._loops: list[asyncio.Task[None]] = []
        self._joining: asyncio.Task[None] | None = None
        self._joined_at = float("-inf")
        self._unlisten = resources.wake.listen(self._told)

    async def serve(self, numbers: Collection[int], *, look_back: bool = False) -> None:
        """Work on those of the shards `numbers` that nobody else holds, until they are given back.

        `look_back` reads them as if nothing had been read before: for what hints and clocks have missed.
        """
        held = self.wake(numbers)
        if look_back:
            for number in held:
                self.shards[number].looked_back = False
        else:
            self._busy_at = time.monotonic()
        taken: set[int] = set()
        async for part in self._leases.take(set(numbers) - held):
            taken |= part
            if not self._loops:
                await self._health.heed()
            self._start(part)
        await asyncio.gather(*(self._leases.given_back(number) for number in taken))

    async def stay(self, seconds: float) -> None:
        """Return after that time, or when the process ends."""
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), seconds)

    def wake(self, numbers: Iterable[int]) -> frozenset[int]:
        """There is something new in `numbers`; which of them are held here."""
        held = frozenset(n for n in numbers if (s := self.shards.get(n)) is not None and not s.leaving)
        if held:
            self._reader.wake(held)
            self._due.look()
        return held

    def _told(self, numbers: frozenset[int]) -> frozenset[int]:
        """Something came in through this process: locally it takes part in the work, if others have all the shards.

        On Knative a request has to stand for what a process takes on.
        """
        self._busy_at = time.monotonic()
        if (
            self._resources.wake.local is not None
            and not self.shards
            and (self._joining is None or self._joining.done())
            and self._busy_at - self._joined_at > JOIN_SECONDS
        ):
            self._joined_at = self._busy_at
            self._joining = asyncio.get_running_loop().create_task(self._join(numbers))
        return self.wake(numbers)

    async def _join(self, numbers: frozenset[int]) -> None:
        try:
            await self.serve(numbers)
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("cannot take part: %s", error)

    def _heard(self, number: int) -> None:
        """What is heard of a shard that is being given up is told to its next owner."""
        if not self.wake((number,)):
            loop = asyncio.get_running_loop()
            loop.call_later(PAUSE_SECONDS, self._resources.wake.shards, (number,))

    async def drain(self) -> None:
        """Finish what is under way within `DRAIN_SECONDS`, record it, and give everything back.

        Each shard goes as soon as nothing of it is under way, and where something is left others are woken for it.
        """
        self._unlisten()
        self._ending.set()
        self._leases.closing = True
        await self._hand_on(list(self.shards.values()), DRAIN_SECONDS)
        await self._stop()
        if self._joining is not None:
            await asyncio.wait([self._joining])
        try:
            await self._health.clear()
            await self._leases.go()
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("the database is away: %s", error)
        self._gates.cancel()
        await self._gates.settle()
        await self._sender.close()
        await self._client.close()

    def _start(self, taken: Collection[int]) -> None:
        self._ears.listen(taken)
        self._reader.wake(taken)
        self._due.at(0)
        if not self._loops:
            loop = asyncio.get_running_loop()
            self._loops = [
                loop.create_task(self._repeat(step))
                for step in (self._read, self._due.step, self._record, self._keep, self._ears.run)
            ]

    async def _stop(self) -> None:
        loops, self._loops = set(self._loops), []
        while loops:
            for task in loops:
                task.cancel()
            # A cancellation that meets the end of a time-out in a driver can get lost there: once more.
            done, loops = await asyncio.wait(loops, timeout=1)
            for task in done:
                if not task.cancelled() and (error := task.exception()) is not None:
                    logger.warning("ended with %s: %s", type(error).__name__, error)

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do `step` for ever; after an outage, or a mistake, again after a pause."""
        while True:
            try:
                await step()
            except Exception as error:
                if is_outage(error):
                    logger.warning("a store is away: %s: %s", type(error).__name__, error)
                else:
                    logger.exception("dispatch stumbled and goes on")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        if self._ears.deaf:
            self._reader.look_after(PAUSE_SECONDS)
        if await self._reader.step():
            self._busy_at = time.monotonic()
            self._recorder.changed.set()

    async def _record(self) -> None:
        try:
            async with asyncio.timeout(SWEEP_SECONDS if self._reader.works else None):
                await self._recorder.changed.wait()
        except TimeoutError:
            pass
        self._recorder.changed.clear()
        if (now := time.monotonic()) - self._swept_at > SWEEP_SECONDS:
            self._swept_at = now
            self._sweep()
        shards = list(self.shards.values())
        if not self._recorder.has_something(shards):
            return
        await self._write(shards)
        await asyncio.sleep(ORDERED_GAP_SECONDS if self._hurry else RECORD_GAP_SECONDS)

    async def _write(self, shards: Collection[Shard]) -> None:
        async with self._writing:
            self._written(await self._recorder.write(shards, self._leases.until))
            if any(shard.unknown_orders for shard in shards):
                await orders.learn(await self._resources.pg(), shards)

    def _written(self, batch: Batch) -> None:
        self._reader.recorded(batch.works, batch.bytes, batch.deliveries)
        orders.recorded(batch.cursors, batch.rows, batch.changes, batch.waiting)
        now = time.time()
        for row in batch.rows:
            self._due.planned(row.ending, now)
        self._due.recorded(batch.changes)
        for shard in batch.cursors:
            if shard.lost:
                self._lose(shard)
        self._due.next_in_order(batch.promoted)
        self._hurry = bool(batch.promoted)

    def _run(self, job: Job) -> Awaitable[Outcome | None]:
        return self._progress.run(job)

    def _sweep(self) -> None:
        """Let rows stand for what takes long, so that the events after it can be recorded."""
        before = time.monotonic() - PATIENCE_SECONDS
        for shard in self.shards.values():
            self._progress.let_stand(shard, before)

    async def _keep(self) -> None:
        """Renew leases, share shards with others, give back what has no work or was held for long enough."""
        await asyncio.sleep(KEEP_SECONDS)
        await self._renew()
        await self._share()
        await self._health.exchange()
        now = time.monotonic()
        self._load.tell()
        if self.shards and self._is_idle(now):
            await self._give_back(list(self.shards.values()))
        elif expired := [s for s in self.shards.values() if s.deadline <= now and s.stays_until <= now]:
            await self._end(expired, now)
        if not self.shards:
            loops, self._loops = self._loops, []
            for task in loops:
                task.cancel()
            self._due.forget()

    async def _renew(self) -> None:
        for shard in await self._leases.renew():
            self._lose(shard)

    async def _share(self) -> None:
        """Start on what others handed over, have orphans looked after, and give others their part."""
        view = await self._leases.look()
        if view.received:
            self._start(view.received)
        if view.orphans:
            self._resources.wake.shards(view.orphans)
        await self._hand_over(view.moves)

    async def _hand_over(self, moves: dict[str, int]) -> None:
        """Give so many shards to each heir, those first that have least to do.

        Nothing of a shard may be under way when somebody else gets it: one of which something takes long goes on
        here until that has ended, and one that does not come to rest in time is tried again later.
        """
        now = time.monotonic()
        chosen = {shard for shard in self.shards.values() if shard.ending}
        for shard in chosen:
            shard.ending = shard.deadline <= now
        self._look_ahead()
        if not moves:
            return
        shards = [s for s in self.shards.values() if not s.leaving and s.stays_until <= now]
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
            await self._write(list(self.shards.values()))
            moved = {s: given[s] for s in resting if not s.lost and not s.works}
            if moved:
                await self._leases.hand_over(moved)
                for shard in moved:
                    self._lose(shard)
        finally:
            self._keep_on(given)

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
        for shard in self.shards.values():
            shard.busy_until = 0.0
        for job in self._due.under_way.values():
            if job.started_at is None:
                continue
            gate, shard = self._gates.of_job(job), job.shard
            if now - job.started_at > LONG_SECONDS or gate.is_long:
                # After that, what is under way is left to its row.
                ends = min(gate.ends(job, now), shard.deadline + LEAVE_SECONDS)
                shard.busy_until = max(shard.busy_until, ends)

    async def _end(self, expired: list[Shard], now: float) -> None:
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

    def _under_way(self, number: int) -> int:
        jobs = self._due.under_way.values()
        return sum(job.started_at is not None for job in jobs if job.shard.number == number)

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
            await asyncio.sleep(PAUSE_SECONDS / 10)
            try:
                await self._renew()
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

    def _is_idle(self, now: float) -> bool:
        return (
            not self._reader.works
            and not self._due.under_way
            and not self._reader.has_news
            and now - self._busy_at > self._linger_seconds
            and self._due.due_in > NEAR_SECONDS
        )

    async def _give_back(self, shards: list[Shard]) -> None:
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
                    self._lose(shard)
                elif not shard.lost:
                    self._stay(shard)

    async def _leave(self, shards: list[Shard], seconds: float) -> None:
        """Take nothing more of `shards`, end what is under way within `seconds`, and give them back."""
        await self._come_to_rest(shards, seconds, patient=True)
        for shard in shards:
            self._progress.let_stand(shard, float("inf"))
        try:
            await self._write(list(self.shards.values()))
            await self._leases.give_back(shards)
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("leases run out by themselves, the database is away: %s", error)
        for shard in shards:
            self._lose(shard)

    async def _hand_on(self, shards: list[Shard], seconds: float) -> None:
        """Let others go on with `shards`, at the latest after so many seconds."""
        for shard in shards:
            shard.leaving = True
        await self._ears.ignore([shard.number for shard in shards])
        deadline = time.monotonic() + seconds
        while shards:
            resting = [shard for shard in shards if not self._is_at_work({shard.number})]
            if not resting and time.monotonic() < deadline:
                await asyncio.sleep(PAUSE_SECONDS / 10)
                continue
            going = resting or shards
            await self._leave(going, 0)
            # Afterwards: what came before that, nobody else could have been told of.
            self._resources.wake.shards(await self._left_in(going))
            shards = [shard for shard in shards if shard not in going]

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
        return any(s.works for s in self.shards.values() if s.number in numbers) or any(
            job.shard.number in numbers and job.started_at is not None for job in jobs
        )

    def _lose(self, shard: Shard) -> None:
        """Forget a shard: somebody else has it, or may have it from now on."""
        shard.lost = True
        self._reader.forget(shard)
        self._due.lose(shard)
        self._leases.forget(shard)
        self._ears.drop(shard.number)
