"""Group commit: requests that arrive together are stored by one statement and share one commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import UUID

from shared.core.cloudevents import Event
from shared.core.problems import INTERNAL, STORAGE_FULL, UNAVAILABLE, Problem
from shared.intake.rows import Note, Stored, Waiting
from shared.intake.settings import IntakeSettings
from shared.intake.storing import Storage
from shared.runtime.outage import RETRY_AFTER_SECONDS, is_outage
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    import asyncpg

LANES = 3
"""Commits under way at once: while one waits for the disk, the next is being put together."""

COMMIT_EVENTS = 1_000
COMMIT_BYTES = 8 * 1024 * 1024
ACQUIRE_SECONDS = 5
STALL_SECONDS = 2.0
"""A commit that takes longer is one that may not end: nobody else is let in to wait behind it."""

PAUSE_SECONDS = 0.5
"""How long the database is left alone when it was away: then one request tries, and the others are refused still."""

LATELY_SECONDS = 10.0
"""For how long after that it says anything that the database was away."""

MOST_MICROSECONDS = 2**31 - 1
"""What the database's integers can hold: half an hour, which a slow client may take."""

logger = logging.getLogger("weir.ingest")


class Committer:
    """Stores events. At most `LANES` statements at a time; what comes meanwhile goes with the next.

    No timer holds anything back: a lone request is stored at once. What cannot be stored soon is refused at once.
    """

    def __init__(self, resources: Resources, settings: IntakeSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._storage = Storage()
        self._queue: deque[Waiting] = deque()
        self._events = 0
        self._bytes = 0
        self._lanes: dict[asyncio.Task[None], float] = {}
        """What is under way, and since when (of the loop's clock)."""
        self._away_until: float | None = None

    async def store(
        self,
        project_id: UUID,
        producer: str,
        events: Sequence[Event],
        notes: Sequence[Note] = (),
        *,
        size: int | None = None,
        since: float | None = None,
    ) -> list[Stored]:
        """Commit `events` together; one answer for each, in their order. `size` is how many bytes they came in.

        `since` is when their request came, by `time.perf_counter`: it is noted how long they were looked at.

        Raises Problem: 503 when the database is away or too much waits for it, 507 when its disk is full.
        Then nothing of the request was stored, or (a connection lost at the wrong moment) all of it:
        sending it again is safe, because copies are recognised.
        """
        loop = asyncio.get_running_loop()
        if size is None:
            size = sum(map(weigh, events))
        if self._away_until is not None:
            self._try_again(loop.time())
        if self._queue:
            self._check_room(len(events), size, loop.time())
        waiting = Waiting(project_id, producer, events, notes, size, loop.create_future())
        if since is not None:
            waiting.taken_us = min(int((perf_counter() - since) * 1_000_000), MOST_MICROSECONDS)
        self._queue.append(waiting)
        self._events += len(events)
        self._bytes += size
        if len(self._lanes) < LANES:
            self._lanes[loop.create_task(self._lane())] = loop.time()
        return await waiting.answer

    def _try_again(self, now: float) -> None:
        """Let one request through now and then while the database is away. Raises Problem 503 for the others."""
        assert self._away_until is not None
        if now > self._away_until + LATELY_SECONDS and not self._lanes:
            self._away_until = None
            return
        if now < self._away_until or self._lanes:
            raise _away()
        self._away_until = now + PAUSE_SECONDS

    def _check_room(self, events: int, size: int, now: float) -> None:
        """Raise Problem 503 where more waits than is allowed, or waits for what may not end."""
        if (
            self._events + events > self._settings.queue_max_events
            or self._bytes + size > self._settings.queue_max_bytes
        ):
            raise Problem(
                UNAVAILABLE,
                "More events are waiting to be stored than can be taken on. Try again in a moment.",
                headers={"Retry-After": "1"},
            )
        if len(self._lanes) == LANES and now - min(self._lanes.values()) > STALL_SECONDS:
            raise _away()

    async def _lane(self) -> None:
        """Commit until nothing waits."""
        task = asyncio.current_task()
        assert task is not None
        try:
            while self._queue:
                await self._work(task)
        finally:
            # At once: a request that comes before a callback of this task would run must find the place free.
            del self._lanes[task]

    async def _work(self, task: "asyncio.Task[None]") -> None:
        """Commit what waits, one group after the other, on one connection. Raises nothing but cancellation."""
        loop = asyncio.get_running_loop()
        group = self._take()
        try:
            pool = await self._resources.stream()
            async with pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                try:
                    while group:
                        self._lanes[task] = loop.time()
                        await self._commit(connection, group)
                        self._away_until = None
                        group = self._take()
                except Exception as error:
                    # Before the connection is given back, which would wait for its server.
                    self._refuse(group, error)
                    group = []
                    if is_outage(error):
                        connection.terminate()
                    if isinstance(error, TimeoutError):
                        self._rest(error)
        except Exception as error:
            self._refuse(group, error)
            if is_outage(error):
                self._rest(error)
        except asyncio.CancelledError:
            for waiting in group:
                waiting.answer.cancel()
            raise

    def _rest(self, error: Exception) -> None:
        """The database does not answer: whoever waits for it is refused, and it is left alone for a moment."""
        self._away_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
        self._refuse(self._queue, error)
        self._queue.clear()
        self._events = self._bytes = 0

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
            stored, shards = await self._storage.store(connection, group)
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


def weigh(event: Event) -> int:
    """About how many bytes an event takes while it waits."""
    size = len(event.id) + len(event.source) + len(event.type) + len(event.subject or "")
    if event.extensions:
        size += sum(len(value) for value in event.extensions.values() if type(value) is str)
    return size + len(event.data or b"")


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
        return _away()
    return error


def _away() -> Problem:
    return Problem(
        UNAVAILABLE,
        "Events cannot be stored right now. Sending them again later is safe.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
