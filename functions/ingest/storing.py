"""How a group of events gets into the table: each identity once, by the statement that is cheapest for it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from functions.ingest import queries
from functions.ingest.rows import IDENTITY, SHARD, UID, Group, Row, Stored, Waiting
from shared.core.ids import floor

if TYPE_CHECKING:
    import asyncpg

COPY_FROM = 16
"""From so many rows on, looking for copies first and then COPY costs less than one INSERT that does both."""

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


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


async def store(
    connection: "asyncpg.Connection", waiting: Sequence[Waiting], clock: Callable[[], int] = now_ms
) -> tuple[list[list[Stored]], set[int]]:
    """Store the events of all requests in `waiting` in one commit, unless copies of them are there.

    Answers for each request what became of its events, and the shards that have something new.
    """
    group = Group(waiting)
    outcome = Outcome()
    while len(outcome.known) < group.size:
        ms = clock()
        if MIDNIGHT_MS < ms % DAY_MS < DAY_MS - MIDNIGHT_MS:
            await _store(connection, group, ms, outcome)
        else:
            # A copy that is being stored for the other day would be seen by neither its index nor a look.
            async with connection.transaction():
                await queries.lock_days(connection)
                await _store(connection, group, ms, outcome)
    return _answers(waiting, group.keys, outcome), outcome.shards


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


async def _store(connection: "asyncpg.Connection", group: Group, ms: int, outcome: Outcome) -> None:
    """Store what is not known yet, and note what was found."""
    from asyncpg.pgproto import pgproto  # its UUID is made in a tenth of the time

    ms, rows = group.rows(ms, outcome.known, pgproto.UUID)
    yesterday = floor(ms - ms % DAY_MS - DAY_MS)
    # Tomorrow's partition has something only when it is near: each partition is one more look for each event.
    end = floor((ms + MIDNIGHT_MS) // DAY_MS * DAY_MS + DAY_MS)
    if len(rows) >= COPY_FROM:
        copies = await queries.first_uids(connection, [row[IDENTITY] for row in rows], yesterday, end)
        if copies:
            outcome.add_copies(copies)
            rows = [row for row in rows if row[IDENTITY] not in copies]
    new = await _insert(connection, rows, ms) if rows else []
    outcome.add_new(new)
    if len(new) < len(rows):
        left = [row[IDENTITY] for row in rows if row[IDENTITY].bytes not in outcome.known]
        # A copy whose first was dropped in between is new: the loop in `store` goes on.
        outcome.add_copies(await queries.first_uids(connection, left, yesterday, end))


async def _insert(connection: "asyncpg.Connection", rows: list[Row], ms: int) -> list[Row]:
    """Insert `rows`, made at `ms`; those that were new."""
    import asyncpg

    today, yesterday = floor(ms - ms % DAY_MS), floor(ms - ms % DAY_MS - DAY_MS)
    # In a transaction of several statements a failed one would end it.
    alone = connection.is_in_transaction()
    if len(rows) >= COPY_FROM and not alone:
        try:
            await queries.copy_new(connection, rows)
        except asyncpg.UniqueViolationError:
            pass  # somebody stored a copy since we looked, which INSERT can tell apart
        except asyncpg.CheckViolationError:
            await _make_partitions(connection, ms)
        else:
            return rows
    if alone:
        await _make_partitions(connection, ms)
    try:
        uids = await queries.insert_new(connection, rows, yesterday, today)
    except asyncpg.CheckViolationError:
        await _make_partitions(connection, ms)
        uids = await queries.insert_new(connection, rows, yesterday, today)
    return [row for row in rows if row[UID] in uids]


async def _make_partitions(connection: "asyncpg.Connection", ms: int) -> None:
    """For when whoever makes them ahead has not run."""
    day = datetime.fromtimestamp(ms / 1000, UTC).date()
    await queries.ensure_partitions(connection, day - timedelta(days=1), day + timedelta(days=1))
