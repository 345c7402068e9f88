"""Group commit: requests that arrive together are stored by one statement and share one commit."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.ingest import queries
from functions.ingest.settings import IngestSettings
from shared.core.cloudevents import Event
from shared.core.ids import floor, identity, shard_of, uuid7
from shared.core.problems import INTERNAL, STORAGE_FULL, UNAVAILABLE, Problem
from shared.runtime.outage import RETRY_AFTER_SECONDS, is_outage
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    import asyncpg

LANES = 2
"""Commits under way at once: while one waits for the disk, the next is being put together."""

COMMIT_EVENTS = 1_000
COMMIT_BYTES = 8 * 1024 * 1024
ACQUIRE_SECONDS = 5
DAY_MS = 86_400_000
COLUMNS = 18

logger = logging.getLogger("weir.ingest")


@dataclass(slots=True)
class Stored:
    """What became of one event: its uid, or for a copy that of the first."""

    uid: UUID
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What is stored beside an event: its facets as a JSON object, and what a schema that warns says of it."""

    facets: str | None = None
    schema_fault: str | None = None


NO_NOTE = Note()


@dataclass(slots=True)
class Waiting:
    """The events of one request, which are stored together or not at all.

    `notes` has one for each event, or none at all where there is nothing to note.
    """

    project_id: UUID
    producer: str
    events: Sequence[Event]
    notes: Sequence[Note]
    size: int
    answer: "asyncio.Future[list[Stored]]"


First = tuple[Waiting, Event, Note]
"""An event with an identity that no other before it in the group has."""


class Committer:
    """Stores events. At most `LANES` statements at a time; what comes meanwhile goes with the next.

    No timer holds anything back: a lone request is stored at once.
    """

    def __init__(self, resources: Resources, settings: IngestSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._queue: deque[Waiting] = deque()
        self._events = 0
        self._bytes = 0
        self._lanes: set[asyncio.Task[None]] = set()

    async def store(
        self, project_id: UUID, producer: str, events: Sequence[Event], notes: Sequence[Note] = ()
    ) -> list[Stored]:
        """Commit `events` together; one answer for each, in their order.

        Raises Problem: 503 when the database is away or too much waits for it, 507 when its disk is full.
        Then nothing of the request was stored, or (a connection lost at the wrong moment) all of it:
        sending it again is safe, because copies are recognised.
        """
        size = sum(len(e.data) for e in events if e.data is not None)
        if self._queue and (
            self._events + len(events) > self._settings.queue_max_events
            or self._bytes + size > self._settings.queue_max_bytes
        ):
            raise Problem(
                UNAVAILABLE,
                "More events are waiting to be stored than can be taken on. Try again in a moment.",
                headers={"Retry-After": "1"},
            )
        loop = asyncio.get_running_loop()
        waiting = Waiting(project_id, producer, events, notes, size, loop.create_future())
        self._queue.append(waiting)
        self._events += len(events)
        self._bytes += size
        if len(self._lanes) < LANES:
            lane = loop.create_task(self._lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await waiting.answer

    async def _lane(self) -> None:
        """Commit until nothing waits."""
        while self._queue:
            group = self._take()
            try:
                pool = await self._resources.pg()
                async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                    while group:
                        await self._commit(connection, group)
                        group = self._take()
            except Exception as error:
                self._refuse(group, error)
            except asyncio.CancelledError:
                for waiting in group:
                    waiting.answer.cancel()
                raise

    def _take(self) -> list[Waiting]:
        """The requests that go into the next commit: at least one, if any waits."""
        group: list[Waiting] = []
        events = size = 0
        while self._queue:
            waiting = self._queue[0]
            if group and (events + len(waiting.events) > COMMIT_EVENTS or size + waiting.size > COMMIT_BYTES):
                break
            self._queue.popleft()
            events += len(waiting.events)
            size += waiting.size
            if not waiting.answer.done():  # a client that went away takes its request along
                group.append(waiting)
        self._events -= events
        self._bytes -= size
        return group

    async def _commit(self, connection: "asyncpg.Connection", group: list[Waiting]) -> None:
        import asyncpg

        try:
            stored, shards = await store(connection, group)
        except asyncpg.DataError as error:
            # The server refused a value, so the statement stored nothing: find out whose it was.
            if len(group) > 1:
                for waiting in group:
                    await self._commit(connection, [waiting])
                return
            logger.error("an event cannot be stored", exc_info=error)  # noqa: TRY400 the trace is of the event
            self._refuse(group, Problem(INTERNAL, "An event has a value that cannot be stored."))
            return
        for waiting, answers in zip(group, stored, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answers)
        if shards:
            self._resources.wake.shards(shards)

    def _refuse(self, group: Iterable[Waiting], error: Exception) -> None:
        problem = refusal(error)
        for waiting in group:
            if not waiting.answer.done():
                waiting.answer.set_exception(problem)


def refusal(error: Exception) -> Exception:
    """What a producer is told when its events could not be stored."""
    import asyncpg

    if isinstance(error, asyncpg.DiskFullError):
        logger.error("the database's disk is full: %s", error)
        return Problem(
            STORAGE_FULL,
            "There is no space left to store events. Nothing was stored; try again later.",
            headers={"Retry-After": "30"},
        )
    if is_outage(error):
        logger.warning("the database is away: %s: %s", type(error).__name__, error)
        return Problem(
            UNAVAILABLE,
            "Events cannot be stored right now. Sending them again later is safe.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    return error


async def store(
    connection: "asyncpg.Connection", group: Sequence[Waiting]
) -> tuple[list[list[Stored]], set[int]]:
    """One statement for the events of all requests in `group`, and a second one if some are copies.

    Answers for each request what became of its events, and the shards that have something new.
    """
    identities = [[identity(w.project_id, e.source, e.id) for e in w.events] for w in group]
    firsts: dict[UUID, First] = {}
    for waiting, keys in zip(group, identities, strict=True):
        notes = waiting.notes or repeat(NO_NOTE, len(keys))
        for key, event, note in zip(keys, waiting.events, notes, strict=True):
            firsts.setdefault(key, (waiting, event, note))
    known: dict[UUID, UUID] = {}
    fresh: dict[UUID, UUID] = {}
    shards: set[int] = set()
    while len(known) < len(firsts):
        left = sorted(firsts.keys() - known.keys(), key=lambda key: key.int) if known else _sorted(firsts)
        now_ms = time.time_ns() // 1_000_000
        today = floor(now_ms - now_ms % DAY_MS)
        yesterday = floor(now_ms - now_ms % DAY_MS - DAY_MS)
        uids, columns = _columns(left, firsts, now_ms)
        new = await _insert(connection, columns, yesterday, today, now_ms)
        for key, uid, shard in zip(left, uids, columns[3], strict=True):
            if uid in new:
                known[key] = fresh[key] = uid
                shards.add(shard)
        copies = [key for key in left if key not in fresh]
        if copies:
            # A copy whose first was dropped in between is new: the loop stores it.
            known |= await queries.first_uids(connection, copies, yesterday)
    # The first event with a new identity is the one that was stored; the others are its copies.
    return [[Stored(known[key], fresh.pop(key, None) is None) for key in keys] for keys in identities], shards


def _sorted(keys: Iterable[UUID]) -> list[UUID]:
    return sorted(keys, key=lambda key: key.int)


async def _insert(
    connection: "asyncpg.Connection", columns: list[list[Any]], yesterday: UUID, today: UUID, now_ms: int
) -> set[UUID]:
    import asyncpg

    try:
        return await queries.insert_new(connection, columns, yesterday, today)
    except asyncpg.CheckViolationError:
        # No partition for today: whoever makes them ahead has not run. The statement stored nothing.
        day = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        await queries.ensure_partitions(connection, day - timedelta(days=1), day + timedelta(days=1))
        return await queries.insert_new(connection, columns, yesterday, today)


def _columns(
    keys: Sequence[UUID], firsts: dict[UUID, First], now_ms: int
) -> tuple[list[UUID], list[list[Any]]]:
    """Uids for the events with these identities, and the parameters of `queries.INSERT`."""
    uids: list[UUID] = []
    columns: list[list[Any]] = [[] for _ in range(COLUMNS)]
    adds = [column.append for column in columns]
    for key in keys:
        waiting, event, note = firsts[key]
        uid = uuid7(now_ms)
        uids.append(uid)
        extensions = event.extensions
        order_key = extensions.get("partitionkey") if extensions else None
        row = (
            uid,
            key,
            waiting.project_id,
            shard_of(waiting.project_id, uid.bytes if order_key is None else str(order_key)),
            int(event.data_kind),
            event.id,
            event.source,
            event.type,
            event.specversion,
            event.subject,
            event.time,
            event.datacontenttype,
            event.dataschema,
            msgspec.json.encode(extensions).decode() if extensions else None,
            event.data,
            waiting.producer,
            note.facets,
            note.schema_fault,
        )
        for add, value in zip(adds, row, strict=True):
            add(value)
    return uids, columns
