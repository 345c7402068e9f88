"""Whatever happens in whatever order, nobody is shown what is older than it may be: a state machine of a few processes.

The processes share a second level that goes away and comes back with what it had. Time moves when the machine says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from shared.cache.lookup import Lookup, Seen

SECONDS, NONE_SECONDS = 1.0, 0.4
KEYS = ("a",)
PROCESSES = 3

keys = st.sampled_from(KEYS)
mostly = st.sampled_from([True, True, True, True, False])
times = st.sampled_from([0.0, 0.0, 0.05, 0.3, 0.45, 0.6, 0.75, 0.95, 1.0, 5.0])
numbers = st.integers(0, PROCESSES - 1)


@dataclass(frozen=True)
class Version:
    """What the store has held from `since` on; no text: nothing."""

    since: float
    number: int
    there: bool


Value = tuple[int, str] | None


@dataclass
class Shared:
    """What Redis is: entries with their stamps, marks of changes, and who listens."""

    now: Callable[[], float]
    away: bool = False
    entries: dict[str, tuple[int, Value, float, bool]] = field(default_factory=dict)
    heeding: list[tuple[int, Callable[[str], None]]] = field(default_factory=list)


class Level:
    """One process's way to it. Writes arrive when the machine lets them, in any order."""

    def __init__(self, shared: Shared, number: int) -> None:
        self._shared = shared
        self._number = number
        self.late: list[Callable[[], None]] = []
        self.changing: dict[str, float] = {}

    def _micros(self) -> int:
        return round(self._shared.now() * 1_000_000)

    async def read(self, key: str) -> Seen[Value] | None:
        if self._shared.away or self._shared.now() < self.changing.get(key, 0.0):
            return None
        _, value, until, is_mark = self._shared.entries.get(key, (0, None, 0.0, True))
        left = until - self._shared.now()
        return Seen(self._micros()) if is_mark or left <= 0 else Seen(self._micros(), left, value)

    def write(self, key: str, value: Value, stamp: int) -> None:
        until = stamp / 1_000_000 + (NONE_SECONDS if value is None else SECONDS)

        def arrive() -> None:
            old = self._shared.entries.get(key)
            if old is not None and old[2] > self._shared.now() and old[0] >= stamp:
                return
            if until > self._shared.now():
                self._shared.entries[key] = stamp, value, until, False

        self.late.append(arrive)

    def forget(self, key: str) -> None:
        self.changing[key] = self._shared.now() + SECONDS
        if self._shared.away:
            return
        self._shared.entries[key] = self._micros(), None, self._shared.now() + SECONDS, True
        del self.changing[key]
        for number, forget in self._shared.heeding:
            if number != self._number:
                forget(key)

    def heed(self, forget: Callable[[str], None]) -> None:
        self._shared.heeding.append((self._number, forget))


class Caches(RuleBasedStateMachine):
    """Some processes, one store, one second level."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.time = 1000.0
        self.history: dict[str, list[Version]] = {key: [Version(0.0, 0, True)] for key in KEYS}
        self.fails = False
        self.shared = Shared(lambda: self.time)
        self.levels = [Level(self.shared, number) for number in range(PROCESSES)]
        self.held: list[asyncio.Future[None]] = []
        self.holds = False
        self.getting: list[asyncio.Task[Value]] = []
        self.told = {(number, key): 0 for number in range(PROCESSES) for key in KEYS}

    @initialize()
    def start(self) -> None:
        async def load(key: str) -> Value:
            found = self.history[key][-1]
            fails = self.fails
            if self.holds:  # the statement has run, its answer is long in coming
                waiting = asyncio.get_running_loop().create_future()
                self.held.append(waiting)
                await waiting
            if fails:
                raise OSError("away")
            return (found.number, key) if found.there else None

        self.lookups: list[Lookup[str, Value]] = [
            Lookup(
                load,
                name="test",
                seconds=SECONDS,
                none_seconds=NONE_SECONDS,
                second=level,
                clock=lambda: self.time,
            )
            for level in self.levels
        ]

    def run(self) -> None:
        """Until nothing can go on without the machine."""

        async def turn() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())

    @rule(key=keys, there=mostly)
    def change_silently(self, key: str, there: bool) -> None:
        """A change of which nobody is told."""
        before = self.history[key][-1]
        self.history[key].append(Version(self.time, before.number + 1, there))

    @rule(key=keys, number=numbers, there=mostly)
    def change(self, key: str, number: int, there: bool) -> None:
        """A change by one of the processes, which must see it at once."""
        self.change_silently(key, there)
        self.lookups[number].forget(key)
        for other in range(PROCESSES):
            if other == number or not self.shared.away:
                self.told[other, key] = self.history[key][-1].number
        if not self.holds and not self.fails:
            assert self.ask(key, number) == self.current(key)

    def current(self, key: str) -> Value:
        last = self.history[key][-1]
        return (last.number, key) if last.there else None

    def ask(self, key: str, number: int) -> Value:
        task = self.loop.create_task(self.lookups[number].get(key))
        self.run()
        assert task.done()
        return task.result()

    @rule(key=keys, number=numbers, later=times, changes=st.booleans())
    def get(self, key: str, number: int, later: float, changes: bool) -> None:
        """Somebody asks. What comes at once was true within the time that it may be shown for."""
        if changes:
            self.change_silently(key, there=True)
        self.time += later
        task = self.loop.create_task(self.lookups[number].get(key))
        self.run()
        if not task.done():
            self.getting.append(task)
            return
        if task.exception() is not None:
            assert isinstance(task.exception(), OSError)
            return
        self.check(key, number, task.result())

    def check(self, key: str, number: int, value: Value) -> None:
        """Ended versions may be shown for their time, and not at all where their end was told."""
        oldest = self.time - (NONE_SECONDS if value is None else SECONDS)
        versions = self.history[key]
        ends = [later.since for later in versions[1:]] + [float("inf")]
        shown = [
            version
            for version, end in zip(versions, ends, strict=True)
            if end > oldest - 1e-6
            and version.number >= self.told[number, key]
            and value == ((version.number, key) if version.there else None)
        ]
        assert shown, (key, value, versions, self.time)

    @rule(there=mostly)
    def redis(self, there: bool) -> None:
        """It goes away, or is back with what it had."""
        self.shared.away = not there

    @rule(there=mostly)
    def store(self, there: bool) -> None:
        """The store goes away, or is back."""
        self.fails = not there

    @rule(key=keys, number=numbers)
    def hold(self, key: str, number: int) -> None:
        """Loads that start now take their time: such as this one."""
        self.holds = True
        self.get(key, number, 0.0, changes=False)

    @rule()
    def release(self) -> None:
        """What was held comes to its end."""
        self.holds = False
        held, self.held = self.held, []
        for waiting in held:
            waiting.set_result(None)
        self.run()
        for task in self.getting:
            assert task.done()
            assert task.exception() is None or isinstance(task.exception(), OSError)
        self.getting.clear()

    @rule(number=numbers, last=st.booleans())
    def let_a_write_arrive(self, number: int, last: bool) -> None:
        """Late, or out of turn."""
        late = self.levels[number].late
        if late and not self.shared.away:
            late.pop(-1 if last else 0)()

    @rule()
    def peek(self) -> None:
        """Also what nobody waits for is not too old."""
        for number in range(PROCESSES):
            for key in KEYS:
                if (value := self.peeked(key, number)) is not None:
                    self.check(key, number, value)

    def peeked(self, key: str, number: int) -> Value:
        async def look() -> Value:
            return self.lookups[number].peek(key)

        value = self.loop.run_until_complete(look())
        self.run()
        return value

    def teardown(self) -> None:
        """Nothing is left behind."""
        self.release()
        self.loop.close()


PHASES = [phase for phase in Phase if phase is not Phase.explain]
TestCaches = Caches.TestCase
TestCaches.settings = settings(max_examples=300, stateful_step_count=40, deadline=None, phases=PHASES)
