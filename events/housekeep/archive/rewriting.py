"""Writing those objects of one archived day anew that have what is to be erased."""

from datetime import date
from uuid import UUID, uuid4

import asyncpg
import msgspec

from events.housekeep.archive import queries
from events.housekeep.archive.retention import forget
from events.housekeep.archive.writing import put, seal, sweep
from shared.archive import catalog
from shared.archive.holding import Holding
from shared.archive.lines import event_of
from shared.archive.manifest import part_key
from shared.archive.parts import Part, PartWriter, may_be_in
from shared.archive.reading import forward, index_of, lines_in
from shared.archive.store import Store
from shared.archive.wanted import Wanted


class Rewriting:
    """One day of a project, for one erasure. Every method raises StoreFailed, MissingObject, Damaged."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        store: Store,
        project: asyncpg.Record,
        day: date,
        *,
        wanted: Wanted,
        holding: Holding,
        erasure_id: UUID,
    ) -> None:
        self._connection = connection
        self._store = store
        self._project = project
        self._day = day
        self._wanted = wanted
        self._holding = holding
        self._erasure_id = erasure_id

    async def work(self) -> tuple[int, int]:
        """How many events have left the day, and how many are held in it."""
        parts = await catalog.parts_of_day(self._connection, self._project["id"], self._day)
        run = uuid4().hex[:12]
        erased = held = 0
        left: list[Part] = []
        for part in parts:
            gone, kept, instead = await self._part(part, run)
            erased += gone
            held += kept
            if not gone:
                left.append(part)
            elif instead is not None:
                left.append(instead)
        if erased:
            # The old objects go last. Whoever is killed before leaves them to the next look, which sweeps.
            await seal(
                self._connection,
                self._store,
                self._project,
                self._day,
                left,
                also=lambda: queries.add_archived(self._connection, self._erasure_id, erased),
            )
        else:
            await self.sweep(parts)
        if not left:
            await forget(self._connection, self._store, self._project["id"], self._day)
        return erased, held

    async def has_any(self, parts: list[Part]) -> bool:
        """Whether these objects have an event that is to go."""
        for part in parts:
            async for lines in forward(self._store, part, self._wanted):
                for line in lines:
                    event = event_of(line)
                    if not self._holding.keeps(line.uid, event.type, event.source, event.subject):
                        return True
        return False

    async def sweep(self, parts: list[Part]) -> None:
        """Delete what is in the day's folder beside these objects: whoever was killed before left it."""
        await sweep(self._store, self._project["id"], self._day, parts)

    async def _part(self, part: Part, run: str) -> tuple[int, int, Part | None]:
        """How many events of an object go, how many are held, and the object that is there instead."""
        frames = await index_of(self._store, part)
        erased = held = 0
        if any(may_be_in(frame, type=None, id=None, subject=self._wanted.subject) for frame in frames):
            writer = PartWriter()
            for frame in frames:
                for line in await lines_in(self._store, part, frame):
                    event = event_of(line)
                    if self._wanted.has(line.uid, event):
                        if not self._holding.keeps(line.uid, event.type, event.source, event.subject):
                            erased += 1
                            continue
                        held += 1
                    writer.add(
                        line.uid,
                        msgspec.json.encode(line) + b"\n",
                        event_type=event.type,
                        event_id=event.id,
                        subject=event.subject,
                    )
            if erased and not writer.is_empty:
                key = part_key(self._project["id"], self._day, run, part.number)
                instead, content = writer.end(part.number, key)
                await put(self._store, key, content)
                return erased, held, instead
        return erased, held, None
