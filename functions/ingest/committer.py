"""Group commit: requests that arrive together are stored by one statement and share one commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from functions.ingest.rows import Note, Stored, Waiting
from functions.ingest.settings import IngestSettings
from functions.ingest.storing import store
from shared.core.cloudevents import Event
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

logger = logging.getLogger("weir.ingest")


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
            self._lanes.add(loop.create_task(self._lane()))
        return await waiting.answer

    async def _lane(self) -> None:
        """Commit until nothing waits."""
        try:
            await self._work()
        finally:
            # At once: a request that comes before a callback of this task would run must find the place free.
            task = asyncio.current_task()
            assert task is not None
            self._lanes.discard(task)

    async def _work(self) -> None:
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
