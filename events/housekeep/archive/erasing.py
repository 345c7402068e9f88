"""Forgetting what there is of one subject: its rows go, and the archive's objects that have it are written anew."""

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import asyncpg

from events.housekeep.archive import queries
from events.housekeep.archive.rewriting import Rewriting
from events.housekeep.archive.traces import forget_traces
from shared.archive import catalog
from shared.archive.holding import Holding
from shared.archive.reading import Damaged
from shared.archive.store import MissingObject, Store
from shared.archive.subjects import kept_in
from shared.archive.wanted import Wanted, between, keys_of
from shared.audit.by import by_weir
from shared.audit.record import record

ROWS = 500


class Erasing:
    """One erasure. What was received after it was asked for is not meant.

    All that it finds out is in the database before it goes on: a process that is killed loses the step that it was at.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        store: Store | None,
        erasure: asyncpg.Record,
        *,
        project: asyncpg.Record,
        holding: Holding,
        goes_on: Callable[[], bool],
    ) -> None:
        """`store` is None where no archive is configured: what had gone to one before cannot be looked through."""
        self._connection = connection
        self._store = store
        self._erasure = erasure
        self._project = project
        self._project_id: UUID = project["id"]
        self._subject: str = erasure["subject"]
        self._holding = holding
        self._goes_on = goes_on
        self._fault: Damaged | MissingObject | None = None
        self._until: UUID = between(None, erasure["created_at"])[1]
        self._wanted = Wanted(high=self._until, subject=self._subject)

    async def work(self) -> None:
        """Go on with it. Raises StoreFailed, MissingObject, Damaged: it is gone on with at another time."""
        days = await queries.sealed(self._connection, self._erasure)
        removed, held, unread = await self._rows({row["day"] for row in days})
        whole = await self._begun(is_changed=removed > 0)
        there, all_looked = await self._archive(days)
        held += there
        found_all = whole and all_looked and not unread and not removed and self._goes_on()
        if not found_all:
            await queries.note_state(self._connection, self._erasure["id"], "running", held)
        elif held or self._holding.names(self._subject):
            await queries.note_state(self._connection, self._erasure["id"], "held", held)
        else:
            await self._end()
        if self._fault is not None:
            raise self._fault

    async def _rows(self, archived: set[date]) -> tuple[int, int, bool]:
        """How many events were removed from the database, how many are held; whether there are more to come.

        Those of days that are `archived` are held there, and counted there.
        """
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
                    row["uid"]
                    for row in rows
                    if not self._holding.keeps(row["uid"], row["type"], row["source"], self._subject)
                ]
                if day not in archived:
                    held += len(rows) - len(going)
                if going:
                    removed += await queries.remove_events(self._connection, self._erasure, going)
                if not self._goes_on():
                    return removed, held, True
        return removed, held, False

    async def _begun(self, *, is_changed: bool) -> bool:
        """See to the days that are being archived: what is there of them already may have the subject.

        Whether all of them were seen to.
        """
        for day in await queries.unsealed_days(self._connection, self._project_id):
            if self._store is None or not self._goes_on():
                return False
            rewriting = self._rewriting(self._store, day)
            parts = await catalog.parts_of_day(self._connection, self._project_id, day)
            if is_changed or await rewriting.has_any(parts):
                await queries.start(self._connection, self._project_id, day, uuid4().hex[:12])
                parts = []
            await rewriting.sweep(parts)
        return True

    async def _archive(self, days: list[asyncpg.Record]) -> tuple[int, bool]:
        """How many events are held in the archive, and whether there is nothing else of the subject any more."""
        held = 0
        for row in days:
            if row["looked"] is not None and (not row["held"] or row["looked"] == self._holding.sha256):
                held += row["held"]
                continue
            if self._store is None or not self._goes_on():
                return held, False
            try:
                held += await self._look_through(self._store, row["day"])
            except (Damaged, MissingObject) as error:
                # What can be read is forgotten all the same.
                self._fault = self._fault or error
        return held, self._fault is None

    async def _look_through(self, store: Store, day: date) -> int:
        """Have a day without the subject, and note it; how many of its events are held."""
        rewriting = self._rewriting(store, day)
        gone, held = await rewriting.work()
        while gone:  # what was written is looked through too
            gone, held = await rewriting.work()
        found = await catalog.day(self._connection, self._project_id, day)
        if found is not None:
            await queries.note_look(
                self._connection,
                self._erasure,
                day,
                manifest_sha256=found["manifest_sha256"],
                holds_sha256=self._holding.sha256,
                held=held,
            )
        return held

    def _rewriting(self, store: Store, day: date) -> Rewriting:
        return Rewriting(
            self._connection,
            store,
            self._project,
            day,
            wanted=self._wanted,
            holding=self._holding,
            erasure_id=self._erasure["id"],
        )

    async def _end(self) -> None:
        said = self._erasure
        async with self._connection.transaction():
            await forget_traces(self._connection, self._project_id, self._subject, said["subject_digest"])
            kept = await kept_in(self._connection, self._project_id, self._subject)
            row = await queries.end(self._connection, said["id"], kept)
            await record(
                self._connection,
                by_weir(),
                "erasure.done",
                project_id=self._project_id,
                id=said["id"],
                name=said["subject_digest"].hex()[:12],
                after={
                    "events": row["events"],
                    "archivedEvents": row["archived_events"],
                    "keptIn": kept,
                },
            )
