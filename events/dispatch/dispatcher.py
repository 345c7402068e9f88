"""The work of one process on the shards whose leases it holds.

Four loops share the memory of `work.py`: one reads events and routes them, one brings rows that are due, one
records what has ended, one keeps leases and gives them back. Requests to sinks run in the gates' tasks.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Collection, Iterable

from events.dispatch import endings
from events.dispatch.attempt import attempt
from events.dispatch.clock import DatabaseClock
from events.dispatch.due import DueDeliveries
from events.dispatch.ears import Ears
from events.dispatch.gate import Gates
from events.dispatch.leases import Leases
from events.dispatch.reader import Reader
from events.dispatch.recorder import Recorder
from events.dispatch.router import Router
from events.dispatch.subscriptions import SubscriptionCache
from events.dispatch.work import Attempted, Change, Ending, Job, NewDelivery, Shard, Work
from shared.http.addresses import AddressGuard
from shared.http.client import OutboundClient
from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources

PATIENCE_SECONDS = 0.5
"""How long an event may hold up the record of those after it; then a row stands for what is still under way."""

SWEEP_SECONDS = 0.1
RECORD_GAP_SECONDS = 0.02
"""Between two commits while there is a lot to do: nobody waits for the record but the reader's window."""

KEEP_SECONDS = 1.0
LINGER_SECONDS = 15.0
NEAR_SECONDS = 60.0
"""A retry that is due within this time is waited for."""

LEAVE_SECONDS = 200.0
DRAIN_SECONDS = 15.0
PAUSE_SECONDS = 0.25

logger = logging.getLogger("weir.dispatch")


class Dispatcher:
    """Holds shards as long as they have work. `serve` is a request's part in that."""

    def __init__(self, resources: Resources, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self._resources = resources
        self._linger_seconds = linger_seconds
        self.shards: dict[int, Shard] = {}
        self._client = OutboundClient(AddressGuard(resources.settings.sink_allow))
        self._subscriptions = SubscriptionCache(resources)
        self._gates = Gates(self._run, lambda: len(self.shards) / self._leases.total)
        self._clock = DatabaseClock()
        self._leases = Leases(resources, self.shards, self._clock)
        self._recorder = Recorder(resources, self._leases.owner, self._leases.seconds)
        self._due = DueDeliveries(
            resources, self.shards, self._gates, self._subscriptions, self._recorder, clock=self._clock
        )
        self._reader = Reader(resources, self.shards, self._subscriptions, Router(self._gates))
        self._ears = Ears(resources, self._heard)
        self._writing = asyncio.Lock()
        self._swept_at = 0.0
        self._busy_at = float("-inf")
        self._loops: list[asyncio.Task[None]] = []
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
            self._start(part)
        await asyncio.gather(*(self._leases.given_back(number) for number in taken))

    def wake(self, numbers: Iterable[int]) -> frozenset[int]:
        """There is something new in `numbers`; which of them are held here."""
        held = frozenset(n for n in numbers if (s := self.shards.get(n)) is not None and not s.leaving)
        if held:
            self._reader.wake(held)
            self._due.look()
        return held

    def _told(self, numbers: frozenset[int]) -> frozenset[int]:
        self._busy_at = time.monotonic()
        return self.wake(numbers)

    def _heard(self, number: int) -> None:
        """What is heard of a shard that is being given up is told to its next owner."""
        if not self.wake((number,)):
            loop = asyncio.get_running_loop()
            loop.call_later(PAUSE_SECONDS, self._resources.wake.shards, (number,))

    async def drain(self) -> None:
        """Finish what is under way within `DRAIN_SECONDS`, record it, and give everything back."""
        self._unlisten()
        self._leases.closing = True
        await self._leave(list(self.shards.values()), DRAIN_SECONDS)
        await self._stop()
        self._gates.cancel()
        await self._gates.settle()
        await self._client.close()

    def _start(self, taken: Collection[int]) -> None:
        self._ears.listen(taken)
        self._reader.wake(taken)
        self._due.at(0)
        if not self._loops:
            loop = asyncio.get_running_loop()
            self._loops = [
                loop.create_task(self._repeat(step))
                for step in (self._read, self._due.step, self._record, self._keep)
            ]
            self._loops.append(loop.create_task(self._ears.run()))

    async def _stop(self) -> None:
        loops, self._loops = set(self._loops), []
        while loops:
            for task in loops:
                task.cancel()
            # A cancellation that meets the end of a time-out in a driver can get lost there: once more.
            _, loops = await asyncio.wait(loops, timeout=1)

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
        await asyncio.sleep(RECORD_GAP_SECONDS)

    async def _write(self, shards: Collection[Shard]) -> None:
        async with self._writing:
            batch = await self._recorder.write(shards, self._leases.until)
        self._reader.recorded(batch.works, batch.bytes)
        now = time.time()
        for row in batch.rows:
            if row.ending.next_attempt_at is not None:
                self._due.at(row.ending.next_attempt_at - now)
            elif row.order_key is not None:
                self._due.at(0)
        for change in batch.changes:
            self._due.under_way.pop(change.delivery_id, None)
            if change.ending.next_attempt_at is not None:
                self._due.at(change.ending.next_attempt_at - now)
            elif change.order_key is not None:
                self._due.at(0)
        for shard in batch.cursors:
            if shard.lost:
                self._lose(shard)

    def _sweep(self) -> None:
        """Let rows stand for what takes long, so that the events after it can be recorded."""
        before = time.monotonic() - PATIENCE_SECONDS
        for shard in self.shards.values():
            self._let_stand(shard, before)

    def _let_stand(self, shard: Shard, before: float) -> None:
        now = time.time()
        for work in shard.works:
            if work.read_at > before:
                break
            if not work.open:
                continue
            for job in work.jobs:
                if job.work is None:
                    continue
                if job.started:
                    ending = endings.under_way(job.subscription.policy, now)
                    self._due.under_way[job.delivery_id] = job
                else:
                    ending = endings.waiting(now)
                    job.withdrawn = True
                    self._gates.of(job.subscription).saturated = True
                job.row = NewDelivery(shard.number, job.delivery_id, work.uid, job.subscription, ending)
                self._settle(job, job.row)

    def _settle(self, job: Job, row: NewDelivery) -> None:
        work = job.work
        assert work is not None
        work.rows.append(row)
        work.open -= 1
        job.work = None

    async def _run(self, job: Job) -> None:
        """Attempt `job` and note what came of it. Raises nothing: the gate goes on with the next."""
        if job.shard.leaving and job.work is None:
            return  # its row is left to the shard's next owner
        if not await self._leases.holds(job.shard) or job.withdrawn:
            return
        job.started = True
        decided_dead = False
        try:
            if job.subscription.broken is not None:
                ending = endings.poisoned(job, job.subscription.broken, time.time())
                attempted = None
            else:
                result = await attempt(self._client, job)
                now, rand, attempted = time.time(), random.random(), result.attempted  # noqa: S311 jitter
                if job.dead_letter is not None:
                    ending, attempted = endings.after_dead_letter(job, result, now, rand), None
                else:
                    ending, decision = endings.after_attempt(job, result, now, rand)
                    decided_dead = decision.disable
                    attempted = attempted if job.attempt > 1 else None
        except Exception as error:
            logger.exception("delivery %s cannot be sent", job.delivery_id)
            text = f"could not be sent: {type(error).__name__}"
            ending, attempted = endings.poisoned(job, text, time.time()), None
        if job.shard.lost:
            return
        if decided_dead:
            self._recorder.disable(job.subscription.id)
        self._note(job, ending, attempted)

    def _note(self, job: Job, ending: Ending, attempted: Attempted | None) -> None:
        work: Work | None = job.work
        if work is not None:
            row = NewDelivery(job.shard.number, job.delivery_id, work.uid, job.subscription, ending)
            self._settle(job, row)
            if not work.open:
                self._recorder.changed.set()
            return
        if job.row is not None and not job.row.taken:
            job.row.ending = ending
            self._due.under_way.pop(job.delivery_id, None)
            return
        project_id = job.subscription.project_id
        self._recorder.change(
            Change(job.shard, job.delivery_id, job.subscription, project_id, ending, job.order_key, attempted)
        )
        self._recorder.changed.set()

    async def _keep(self) -> None:
        """Renew leases, and give back what has no work or was held for long enough."""
        await asyncio.sleep(KEEP_SECONDS)
        for shard in await self._leases.renew():
            self._lose(shard)
        now = time.monotonic()
        if self._is_idle(now):
            await self._give_back(list(self.shards.values()))
        elif expired := [s for s in self.shards.values() if s.deadline <= now]:
            await self._leave(expired, LEAVE_SECONDS)
            self._resources.wake.shards({shard.number for shard in expired})
        if not self.shards:
            loops, self._loops = self._loops, []
            for task in loops:
                task.cancel()
            self._due.forget()

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
        if await self._reader.is_behind(shards):
            for shard in shards:
                shard.leaving = False
            self._ears.listen([shard.number for shard in shards])
            self._reader.wake([shard.number for shard in shards])
            return
        await self._leases.give_back(shards)

    async def _leave(self, shards: list[Shard], seconds: float) -> None:
        """Take nothing more of `shards`, end what is under way within `seconds`, and give them back."""
        for shard in shards:
            shard.leaving = True
        numbers = {shard.number for shard in shards}
        await self._ears.ignore(numbers)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._is_at_work(numbers):
            await asyncio.sleep(PAUSE_SECONDS / 5)
            for shard in await self._leases.renew():
                self._lose(shard)
        for shard in shards:
            self._let_stand(shard, float("inf"))
        try:
            await self._write(list(self.shards.values()))
            await self._leases.give_back(shards)
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("leases run out by themselves, the database is away: %s", error)
        for shard in shards:
            self._lose(shard)

    def _is_at_work(self, numbers: Collection[int]) -> bool:
        jobs = self._due.under_way.values()
        return any(s.works for s in self.shards.values() if s.number in numbers) or any(
            job.shard.number in numbers and job.started for job in jobs
        )

    def _lose(self, shard: Shard) -> None:
        """Forget a shard: somebody else has it, or may have it from now on."""
        shard.lost = True
        self._reader.forget(shard)
        under_way = self._due.under_way
        for key in [key for key, job in under_way.items() if job.shard is shard]:
            del under_way[key]
        self._leases.forget(shard)
        self._ears.drop(shard.number)
