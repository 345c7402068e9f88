"""Plays one scenario: load, fault, recovery, account."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from shared.runtime.outage import is_outage
from tests.bench.processes import memory_mib
from tests.torture.account import Api, account, look_up
from tests.torture.fleet import Weir
from tests.torture.load import Load
from tests.torture.report import Row
from tests.torture.sinks import BadSink, OrderedReceiver, Receiver

BEFORE_SECONDS = 2.0
AFTER_SECONDS = 2.0
LOOK_SECONDS = 0.25
REST_SECONDS = 0.5
QUIET_SECONDS = 0.05
DELIVERY = {"backoffDelay": "PT0.2S", "backoffMax": "PT2S", "timeout": "PT5S"}
IMPATIENT = {"backoffDelay": "PT0.5S", "timeout": "PT3S", "retry": 1}
"""How deliveries to bad sinks are made: three seconds each, twice."""


@dataclass
class Stage:
    """What faults may lay their hands on."""

    weir: Any
    project: str
    load: Load
    plain: Receiver
    ordered: OrderedReceiver

    @property
    def accepted(self) -> int:
        """Different deliveries that receivers have accepted."""
        return len(self.plain.accepted) + len(self.ordered.accepted)

    def has_delivered(self, events: Collection[str]) -> bool:
        """Whether both receivers have accepted all of `events`."""
        return all(receiver.arrived.keys() >= set(events) for receiver in (self.plain, self.ordered))


Act = Callable[[Stage], Awaitable[None]]


async def nothing(_stage: Stage) -> None:
    """Nothing is done."""


@dataclass(frozen=True)
class Scenario:
    """`begin` does the damage, `end` takes it back `hold` seconds later.

    `place` names the kind of Weir it is played on. `repeats` says that deliveries may be repeated: those that
    were made and not on record. `misdeed` is what the sink of a third subscription does.
    """

    name: str
    says: str
    begin: Act = nothing
    end: Act = nothing
    hold: float = 0.0
    place: str = "fleet"
    repeats: bool = False
    misdeed: str | None = None
    padding: int = 200


@dataclass
class Watch:
    """Looks now and then at what is not on record, and at memory."""

    stage: Stage
    subscriptions: list[str]
    recorded: int = 0
    most: int = 0
    memory: float = 0.0
    _connection: asyncpg.Connection | None = field(default=None, init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def restart(self) -> None:
        """Forget the most there was: from now on it counts."""
        self.most = 0

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            if self._connection is not None:
                self._connection.terminate()

    async def look(self) -> None:
        """Once. While the database is away, what it had on record before counts."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        accepted = self.stage.accepted
        try:
            async with asyncio.timeout(2):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self.stage.weir.database_url)
                self.recorded = await self._connection.fetchval(
                    "SELECT count(*) FROM deliveries WHERE subscription_id = ANY($1) AND status = 'delivered'",
                    self.subscriptions,
                )
        except Exception as error:
            if not is_outage(error):
                raise
            self._connection = None
            accepted = self.stage.accepted
        self.most = max(self.most, accepted - self.recorded)
        for pid in self.stage.weir.dispatching():
            with suppress(OSError, ValueError):
                self.memory = max(self.memory, memory_mib(pid))


@asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[None]:
    task = asyncio.ensure_future(watch.run())
    try:
        yield
    finally:
        if task.done():
            task.result()
        task.cancel()
        await asyncio.wait([task])


async def play(scenario: Scenario, weir: Weir, *, rate: float, patience: float) -> Row:
    """The row of `scenario`. `patience` is how many seconds recovery may take, and settling after it."""
    started = time.monotonic()
    row = Row(scenario.name, scenario.says, rate)
    async with AsyncExitStack() as stack:
        plain = await stack.enter_async_context(Receiver())
        ordered = await stack.enter_async_context(OrderedReceiver())
        access = await weir.project()
        api = Api(weir, access)
        good = {
            await api.subscribe("plain", plain.url, **DELIVERY): plain,
            await api.subscribe("ordered", ordered.url, ordering="partitionkey", **DELIVERY): ordered,
        }
        bad = []
        if scenario.misdeed is not None:
            sink = await stack.enter_async_context(BadSink(scenario.misdeed))
            bad = [await api.subscribe("bad", sink.url, **IMPATIENT)]
        load = Load(f"{weir.url('ingest')}/in/{access.project}", access.key, rate, padding=scenario.padding)
        stage = Stage(weir, access.project, load, plain, ordered)
        watch = Watch(stage, list(good))
        async with watching(watch):
            load.start()
            try:
                await asyncio.sleep(BEFORE_SECONDS)
                await watch.look()
                watch.restart()
                await scenario.begin(stage)
                await _come_to_rest(stage)
                await watch.look()
                await asyncio.sleep(scenario.hold)
                await watch.look()
                row.bound = watch.most if scenario.repeats else None
                await _recover(scenario, stage, row, patience)
                await asyncio.sleep(AFTER_SECONDS)
            finally:
                await load.end()
            await _settle(stage, patience)
        row.fallen = weir.fallen()
        received = {subscription: set(receiver.arrived) for subscription, receiver in good.items()}
        found = account(load.acknowledged, await look_up(api, received, bad))
        for subscription in (*good, *bad):
            await api.unsubscribe(subscription)
    row.acknowledged, row.stored = found.acknowledged, found.stored
    row.delivered, row.waiting, row.lost = found.delivered, found.waiting, found.lost
    row.duplicates = plain.repeats + ordered.repeats
    row.late, row.violations = ordered.order.late, ordered.order.violations.total()
    row.memory_mib, row.answers = watch.memory, dict(load.answers)
    took = sorted(at - load.sent_at[identity] for identity, at in plain.arrived.items())
    if took:
        row.slowest_seconds, row.usual_seconds = took[-1], took[len(took) // 2]
    row.seconds = time.monotonic() - started
    return row


async def _come_to_rest(stage: Stage) -> None:
    """Let receivers answer what had reached them when the fault struck: until nothing more comes, or not soon."""
    loop = asyncio.get_running_loop()
    deadline, seen = loop.time() + REST_SECONDS, -1
    while seen != stage.accepted and loop.time() < deadline:
        seen = stage.accepted
        await asyncio.sleep(QUIET_SECONDS)


async def _recover(scenario: Scenario, stage: Stage, row: Row, patience: float) -> None:
    """Take the fault back, and note when events are taken again and when those from before are delivered."""
    loop = asyncio.get_running_loop()
    began, before = loop.time(), set(stage.load.acknowledged)
    taken = asyncio.ensure_future(stage.load.taken())
    await scenario.end(stage)
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await taken
            row.acknowledged_after_seconds = stage.load.taken_at - began
            await _until(lambda: stage.has_delivered(before))
            row.drained_after_seconds = loop.time() - began


async def _settle(stage: Stage, patience: float) -> None:
    """Wait until everything acknowledged has arrived."""
    with suppress(TimeoutError):  # what has not, waits: that is told
        async with asyncio.timeout(patience):
            await _until(lambda: stage.has_delivered(stage.load.acknowledged))


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 other processes make it true
        await asyncio.sleep(0.02)


def say(text: str) -> None:
    """Progress, for whoever watches."""
    print(text, file=sys.stderr, flush=True)
