"""Forgetting what there is of one subject: its rows go, and the archive's objects that have it are written anew."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg
import msgspec

from events.housekeep.archive import queries
from events.housekeep.archive.due import wanted_of
from events.housekeep.archive.retention import forget
from events.housekeep.archive.writing import put, seal
from shared.archive import catalog
from shared.archive.lines import event_of
from shared.archive.manifest import part_key
from shared.archive.parts import Part, PartWriter, may_be_in
from shared.archive.reading import Damaged, index_of, lines_in
from shared.archive.store import MissingObject, Store
from shared.archive.wanted import Wanted, between, keys_of
from shared.audit.by import by_weir
from shared.audit.record import record

ROWS = 500

logger = logging.getLogger("weir.housekeep")


class Erasing:
    """One erasure. What was received after it was asked for is not meant."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        store: Store | None,
        erasure: asyncpg.Record,
        *,
        project: asyncpg.Record,
        holds: list[asyncpg.Record],
        goes_on: Callable[[], bool],
        looked: dict[date, bytes],
    ) -> None:
        """`looked` has the days that need no other look, by the digests of their manifests; it is added to."""
        self._connection = connection
        self._store = store
        self._erasure = erasure
        self._project = project
        self._project_id: UUID = project["id"]
        self._subject: str = erasure["subject"]
        self._holds = [wanted_of(row) for row in holds if row["project_id"] == self._project_id]
        self._goes_on = goes_on
        self._looked = looked
        self._fault: Damaged | MissingObject | None = None
        self._until: UUID = between(None, erasure["created_at"])[1]

    async def work(self) -> bool:
        """Go on with it; whether it is done, or what is left is held. Raises StoreFailed, MissingObject, Damaged."""
        removed, held, unread = await self._rows()
        if removed:
            # What is being archived may have them already: it is begun again.
            for day in await queries.unsealed_days(self._connection, self._project_id):
                await queries.start(self._connection, self._project_id, day, uuid4().hex[:12])
        archived, held_there, whole = await self._archive()
        done = whole and not unread and not removed and self._goes_on()
        held += held_there
        await self._note(removed, archived, held, done=done)
        if self._fault is not None:
            raise self._fault
        return done

    async def _rows(self) -> tuple[int, int, bool]:
        """How many events were removed from the database, how many are held; whether there are more to come."""
        removed = held = 0
        for day in await queries.days(self._connection):
            low, high = keys_of(day)
            after = UUID(int=max(low.int - 1, 0))
            while low < self._until:
                rows = await queries.of_subject(
                    self._connection,
                    self._project_id,
                    self._subject,
                    low=low,
                    high=min(high, self._until),
                    after=after,
                    limit=ROWS,
                )
                if not rows:
                    break
                after = rows[-1]["uid"]
                if any(row["unread"] for row in rows):
                    return removed, held, True
                going = [
                    row["uid"] for row in rows if not self._is_held(row["uid"], row["type"], row["source"])
                ]
                held += len(rows) - len(going)
                if going:
                    removed += await queries.remove_events(self._connection, self._project_id, going)
                if not self._goes_on():
                    return removed, held, True
        return removed, held, False

    def _is_held(self, uid: UUID, event_type: str, source: str) -> bool:
        return any(
            hold.low <= uid < hold.high
            and hold.type in {None, event_type}
            and hold.source in {None, source}
            and hold.subject in {None, self._subject}
            for hold in self._holds
        )

    async def _archive(self) -> tuple[int, int, bool]:
        """How many events left the archive, how many are held there, and whether all of it was looked through."""
        erased = held = 0
        last: datetime = self._erasure["created_at"]
        for row in await queries.sealed(self._connection, self._project_id, last.date()):
            day: date = row["day"]
            if self._looked.get(day) == row["manifest_sha256"]:
                continue
            if self._store is None or not self._goes_on():
                return erased, held, False
            try:
                gone, kept = await self._day(self._store, day)
            except (Damaged, MissingObject) as error:
                # What can be read is forgotten all the same.
                self._fault = self._fault or error
                continue
            if not gone and not kept:
                self._looked[day] = row["manifest_sha256"]
            erased += gone
            held += kept
        return erased, held, self._fault is None

    async def _day(self, store: Store, day: date) -> tuple[int, int]:
        """Write those objects of a day anew that have the subject."""
        parts = await catalog.parts_of_day(self._connection, self._project_id, day)
        run = uuid4().hex[:12]
        erased = held = 0
        left: list[Part] = []
        for part in parts:
            gone, kept, instead = await self._part(store, part, day, run)
            erased += gone
            held += kept
            if not gone:
                left.append(part)
            elif instead is not None:
                left.append(instead)
        if erased and left:
            await seal(self._connection, store, self._project, day, left)
        elif erased:
            await forget(self._connection, store, self._project_id, day)
        return erased, held

    async def _part(self, store: Store, part: Part, day: date, run: str) -> tuple[int, int, Part | None]:
        """How many events of an object go, how many are held, and the object that is there instead."""
        frames = await index_of(store, part)
        wanted = Wanted(high=self._until, subject=self._subject)
        erased = held = 0
        if any(may_be_in(frame, type=None, id=None, subject=self._subject) for frame in frames):
            writer = PartWriter()
            for frame in frames:
                for line in await lines_in(store, part, frame):
                    event = event_of(line)
                    if wanted.has(line.uid, event):
                        if not self._is_held(line.uid, event.type, event.source):
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
                key = part_key(self._project_id, day, run, part.number)
                instead, content = writer.end(part.number, key)
                await put(store, key, content)
                return erased, held, instead
        return erased, held, None

    async def _note(self, removed: int, archived: int, held: int, *, done: bool) -> None:
        said = self._erasure
        columns = {
            "events": said["events"] + removed,
            "archived_events": said["archived_events"] + archived,
            "held": held,
        }
        async with self._connection.transaction():
            if not done or held:
                state = "held" if done else "running"
                await queries.note_erasure(self._connection, said["id"], state=state, **columns)
                return
            await queries.note_erasure(
                self._connection,
                said["id"],
                state="done",
                subject=None,
                ended_at=datetime.now(UTC),
                **columns,
            )
            await record(
                self._connection,
                by_weir(),
                "erasure.done",
                project_id=self._project_id,
                id=said["id"],
                name=said["subject_digest"].hex()[:12],
                after={"events": columns["events"], "archivedEvents": columns["archived_events"]},
            )
