"""How a group of events gets into the table: each identity once, by the statement that is cheapest for it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from shared.core.ids import floor
from shared.intake import queries
from shared.intake.rows import IDENTITY, SHARD, UID, Group, Row, Stored, Waiting

if TYPE_CHECKING:
    import asyncpg

COPY_FROM = 16
"""From so many rows on, a look for copies of yesterday and then COPY cost less than one INSERT that does both."""

WARY_GROUPS = 200
"""For so many groups after one with a copy, copies of today are looked for too: one makes a whole COPY vain."""

DAY_MS = 86_400_000
MIDNIGHT_MS = 60_000
"""How near to midnight (UTC) a copy may be on its way into the other day's partition.

Longer than a statement may take, and than the clocks of two instances may differ.
"""


@dataclass(slots=True)
class Outcome:
    """What is known of the identities of a group: the uid of each, which are new, and the shards of those."""

    known: dict[bytes, UUID] = field(default_factory=dict)
    fresh: set[bytes] = field(default_factory=set)
    shards: set[int] = field(default_factory=set)

    def add_copies(self, found: Mapping[UUID, UUID]) -> None:
        """Identities that are stored already, with the uids of their first."""
        for identity, uid in found.items():
            self.known[identity.bytes] = uid

    def add_new(self, rows: Iterable[Row]) -> None:
        """Rows that were stored now."""
        for row in rows:
            key = row[IDENTITY].bytes
            self.known[key] = row[UID]
            self.fresh.add(key)
            self.shards.add(row[SHARD])


@dataclass(frozen=True, slots=True)
class Days:
    """The least uids of yesterday and today (UTC), and where to end a look for copies."""

    yesterday: UUID
    today: UUID
    end: UUID

    @classmethod
    def of(cls, ms: int) -> "Days":
        """Around that moment."""
        today = ms - ms % DAY_MS
        # Tomorrow's partition has something only when it is near: each partition is one more look for each event.
        end = (ms + MIDNIGHT_MS) // DAY_MS * DAY_MS + DAY_MS
        return cls(floor(today - DAY_MS), floor(today), floor(end))


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Storage:
    """Stores groups of events. Remembers whether copies are about, and looks for them as long as they are."""

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self._wary = 0

    async def store(
        self, connection: "asyncpg.Connection", waiting: Sequence[Waiting]
    ) -> tuple[list[list[Stored]], set[int]]:
        """Store the events of all requests in `waiting` in one commit, unless copies of them are there.

        Answers for each request what became of its events, and the shards that have something new.
        """
        group = Group(waiting)
        outcome = Outcome()
        while len(outcome.known) < group.size:
            ms = self._clock()
            if MIDNIGHT_MS < ms % DAY_MS < DAY_MS - MIDNIGHT_MS:
                await self._store(connection, group, ms, outcome)
            else:
                # A copy that is being stored for the other day would be seen by neither its index nor a look.
                async with connection.transaction():
                    await queries.lock_days(connection)
                    await self._store(connection, group, ms, outcome)
        return _answers(waiting, group.keys, outcome), outcome.shards

    async def _store(self, connection: "asyncpg.Connection", group: Group, ms: int, outcome: Outcome) -> None:
        """Store what is not known yet, and note what was found."""
        from asyncpg.pgproto import pgproto  # its UUID is made in a tenth of the time

        ms, rows = group.rows(ms, outcome.known, pgproto.UUID)
        days = Days.of(ms)
        if len(rows) >= COPY_FROM:
            # The index of today refuses copies of today: a look there costs a fifth of storing an event.
            until = days.end if self._wary else days.today
            self._wary = max(0, self._wary - 1)
            copies = await queries.first_uids(
                connection, [row[IDENTITY] for row in rows], days.yesterday, until
            )
            if copies:
                outcome.add_copies(copies)
                rows = [row for row in rows if row[IDENTITY] not in copies]
        new = await self._insert(connection, rows, ms) if rows else []
        outcome.add_new(new)
        if len(new) < len(rows):
            left = [row[IDENTITY] for row in rows if row[IDENTITY].bytes not in outcome.known]
            # A copy whose first was dropped in between is new: the loop in `store` goes on.
            outcome.add_copies(await queries.first_uids(connection, left, days.yesterday, days.end))

    async def _insert(self, connection: "asyncpg.Connection", rows: list[Row], ms: int) -> list[Row]:
        """Insert `rows`, made at `ms`; those that were new."""
        import asyncpg

        # In a transaction of several statements a failed one would end it.
        alone = connection.is_in_transaction()
        if len(rows) >= COPY_FROM and not alone:
            try:
                await queries.copy_new(connection, rows, _day(ms))
            except asyncpg.UniqueViolationError:
                self._wary = WARY_GROUPS  # INSERT can tell which of them are copies
            except asyncpg.UndefinedTableError:
                await _make_partitions(connection, ms)
            else:
                return rows
        if alone:
            await _make_partitions(connection, ms)
        days = Days.of(ms)
        try:
            uids = await queries.insert_new(connection, rows, days.yesterday, days.today)
        except asyncpg.CheckViolationError:
            await _make_partitions(connection, ms)
            uids = await queries.insert_new(connection, rows, days.yesterday, days.today)
        return [row for row in rows if row[UID] in uids]


def _answers(waiting: Sequence[Waiting], keys: Sequence[bytes], outcome: Outcome) -> list[list[Stored]]:
    known, fresh, left = outcome.known, outcome.fresh, iter(keys)
    answers: list[list[Stored]] = []
    for one in waiting:
        stored = []
        for key in islice(left, len(one.events)):
            # The first event with a new identity is the one that was stored; the others are its copies.
            stored.append(Stored(known[key], key not in fresh))
            fresh.discard(key)
        answers.append(stored)
    return answers


async def _make_partitions(connection: "asyncpg.Connection", ms: int) -> None:
    """For when whoever makes them ahead has not run."""
    day = _day(ms)
    await queries.ensure_partitions(connection, day - timedelta(days=1), day + timedelta(days=1))


def _day(ms: int) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).date()
