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
from events.dispatch.departures import NEAR_SECONDS, PAUSE_SECONDS, Departures
from events.dispatch.due import DueDeliveries
from events.dispatch.ears import Ears
from events.dispatch.gate import Surroundings
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

LIVE_SECONDS = 0.5
"""For so long after an event repeats make room for the next."""

KEEP_SECONDS = 1.0
LINGER_SECONDS = 15.0
DRAIN_SECONDS = 15.0
JOIN_SECONDS = 2.0
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
        self._departures = Departures(
            resources,
            self.shards,
            leases=self._leases,
            reader=self._reader,
            due=self._due,
            gates=self._gates,
            progress=self._progress,
            ears=self._ears,
            write=self._write,
        )
        self._health = SinkHealth(resources, self._leases.owner, self._gates)
        self._load = Load(resources.wake, self.shards, self._due, self._gates)
        self._writing = asyncio.Lock()
        self._ending = asyncio.Event()
        self._hurry = False
        self._swept_at = 0.0
        self._busy_at = self._read_at = float("-inf")
        self._due.is_live = lambda: time.monotonic() - self._read_at < LIVE_SECONDS
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
        await self._departures.hand_on(list(self.shards.values()), DRAIN_SECONDS)
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
            self._busy_at = self._read_at = time.monotonic()
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
                self._departures.lose(shard)
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
        await self._departures.renew()
        await self._share()
        await self._health.exchange()
        now = time.monotonic()
        self._load.tell()
        if self.shards and self._is_idle(now):
            await self._departures.give_back(list(self.shards.values()))
        elif expired := [s for s in self.shards.values() if s.deadline <= now and s.stays_until <= now]:
            await self._departures.end(expired, now)
        if not self.shards:
            loops, self._loops = self._loops, []
            for task in loops:
                task.cancel()
            self._due.forget()

    async def _share(self) -> None:
        """Start on what others handed over, have orphans looked after, and give others their part."""
        view = await self._leases.look()
        if view.received:
            self._start(view.received)
        if view.orphans:
            self._resources.wake.shards(view.orphans)
        await self._departures.hand_over(view.moves)

    def _is_idle(self, now: float) -> bool:
        return (
            not self._reader.works
            and not self._due.under_way
            and not self._reader.has_news
            and now - self._busy_at > self._linger_seconds
            and self._due.due_in > NEAR_SECONDS
        )
