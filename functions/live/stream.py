"""The one reading of the stream in a process, for all who watch.

It asks the database a few times a second for what follows in commit order, for all projects at once. So neither
ingest nor Redis has anything to do with it, and a hundred readers cost what one costs.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from functions.live import queries
from functions.live.entry import Entry
from functions.live.position import Position
from functions.live.reader import Reader
from functions.live.settings import LiveSettings
from functions.live.wanted import Test, Wanted, compile_wanted
from shared.core.problems import UNAVAILABLE, Problem
from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

PAUSE_SECONDS = 0.04
IDLE_PAUSE_SECONDS = 0.12
"""How long after a read that found something, and after one that did not, the next one comes."""

AWAY_PAUSE_SECONDS = 0.5
EACH = 128
"""How many rows a read takes of each shard at most."""

READ_BYTES = 16 * 1024 * 1024
TURN = 200
"""After so many looks at events others have their turn."""

logger = logging.getLogger("weir.live")


class Page:
    """What one read found: the wanted events, how far it came, and whether more follows."""

    __slots__ = ("entries", "more", "until")

    def __init__(self, rows: "list[Record]", after: Position) -> None:
        self.entries = [(row["project_id"], Entry(row)) for row in rows if row["wanted"]]
        self.until = Position(rows[-1]["xid"], rows[-1]["uid"]) if rows else after
        self.more = bool(rows) and (rows[0]["total"] > len(rows) or any(row["saturated"] for row in rows))


class _Group:
    """Readers that want the same."""

    def __init__(self, test: Test) -> None:
        self.test = test
        self.readers: set[Reader] = set()


class Stream:
    """Follows the stream while somebody reads."""

    def __init__(self, resources: Resources, settings: LiveSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._groups: dict[UUID, dict[Wanted, _Group]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._away = False
        self._seats: Counter[UUID] = Counter()
        self.count = 0
        self.position = Position.least()

    def take_seat(self, project_id: UUID) -> Callable[[], None]:
        """A reader's place from its first moment on, whether it catches up or follows; what gives it back is answered.

        Raises Problem 503 where as many read as may.
        """
        if (
            self._seats.total() >= self._settings.live_readers_max
            or self._seats[project_id] >= self._settings.live_project_readers_max
        ):
            raise Problem(
                UNAVAILABLE,
                "As many streams are open as there may be. Close one, or try again in a moment.",
                headers={"Retry-After": "5"},
            )
        self._seats[project_id] += 1
        return partial(self._give_back, project_id)

    def _give_back(self, project_id: UUID) -> None:
        self._seats[project_id] -= 1
        if not self._seats[project_id]:
            del self._seats[project_id]

    async def start(self) -> None:
        """Follow from now on, if nobody did; until somebody joins, which has to be at once. Raises what the database does."""
        async with self._starting:
            if self._reading is None:
                pool = await self._resources.stream()
                self.position = Position.now(await queries.horizon(pool))
                self._reading = asyncio.get_running_loop().create_task(self._follow())

    def join(self, project_id: UUID, wanted: Wanted, reader: Reader) -> Position:
        """Offer `reader` what it wants of what comes after the place that is returned. The stream has to run."""
        groups = self._groups.setdefault(project_id, {})
        group = groups.get(wanted)
        if group is None:
            group = groups[wanted] = _Group(compile_wanted(wanted))
        group.readers.add(reader)
        self.count += 1
        return self.position

    def leave(self, project_id: UUID, wanted: Wanted, reader: Reader) -> None:
        """Offer it nothing more. With the last reader the reading ends."""
        groups = self._groups.get(project_id, {})
        group = groups.get(wanted)
        if group is None or reader not in group.readers:
            return
        group.readers.remove(reader)
        self.count -= 1
        if not group.readers:
            del groups[wanted]
        if not groups:
            del self._groups[project_id]

    async def page(
        self,
        project_ids: Iterable[UUID],
        after: Position,
        until: int | None = None,
        *,
        byte_limit: int = READ_BYTES,
    ) -> Page:
        """What follows `after`, of these projects; up to and with the transaction `until`."""
        rows = await queries.read(
            await self._resources.stream(),
            after,
            list(project_ids),
            until=until,
            each=EACH,
            byte_limit=byte_limit,
        )
        return Page(rows, after)

    @property
    def readers(self) -> list[Reader]:
        """All that read now."""
        return [r for groups in self._groups.values() for group in groups.values() for r in group.readers]

    async def close(self) -> None:
        """End the reading, and every reader."""
        self.end_all("restart")
        if (reading := self._reading) is not None:
            reading.cancel()
            await asyncio.wait([reading])

    def end_all(self, reason: str) -> None:
        """Have every reader end."""
        for reader in self.readers:
            reader.end(reason)

    async def _follow(self) -> None:
        try:
            while self.count:
                await self._step()
        finally:
            self._reading = None

    async def _step(self) -> None:
        found = False
        try:
            page = await self.page(self._groups, self.position)
            found = bool(page.entries)
            self.position = page.until
            self._heard()
            await self._hand_out(page)
        except Exception as error:
            if not is_outage(error):
                logger.exception("the tail stumbled and goes on")
            self._lost(error)
            await asyncio.sleep(AWAY_PAUSE_SECONDS)
            return
        if self._resources.draining:
            self.end_all("restart")
        if not page.more:
            await asyncio.sleep(PAUSE_SECONDS if found else IDLE_PAUSE_SECONDS)

    async def _hand_out(self, page: Page) -> None:
        looks = 0
        for project_id, entry in page.entries:
            for group in list(self._groups.get(project_id, {}).values()):
                if group.test(entry):
                    for reader in group.readers:
                        reader.offer(entry)
                looks += 1
                if not looks % TURN:
                    await asyncio.sleep(0)
        now_ms = time.time_ns() // 1_000_000
        for reader in self.readers:
            reader.reach(page.until, now_ms)

    def _lost(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            logger.warning("events cannot be read now: %s: %s", type(error).__name__, error)
            for reader in self.readers:
                reader.tell("waiting", detail="The database does not answer. What comes meanwhile follows.")

    def _heard(self) -> None:
        if self._away:
            self._away = False
            for reader in self.readers:
                reader.tell("live")
