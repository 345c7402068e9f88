"""One tick's work on what is old: first what people asked for, then what is due."""

import logging
from collections.abc import Callable
from datetime import date
from time import monotonic
from uuid import UUID

import asyncpg

from shared.archive.opening import NoArchive, open_store
from shared.archive.settings import ArchiveSettings
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources

WAITING = METRICS.gauge(
    "weir_retention_waiting_days",
    "Days of projects whose retention is over and that are still there, by what they wait for.",
    ("reason",),
)
FAILURES = METRICS.counter("weir_archive_failures_total", "Ticks whose work on the archive did not succeed.")
REASONS = ("archive", "deliveries", "unread")

logger = logging.getLogger("weir.housekeep")


class Keeper:
    """Works on the archive for some seconds of each tick, where no other process does."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._settings = ArchiveSettings()
        self._store: Store | None = None
        self._looked: dict[UUID, dict[date, bytes]] = {}
        """Of each erasure the days of the archive in which nothing was found: a look may take many ticks."""

    async def work(self) -> None:
        """Do what can be done now. A store that fails is told of, and is tried again at the next tick."""
        from shared.archive import recalling

        ends_at = monotonic() + self._settings.archive_seconds

        def goes_on() -> bool:
            return monotonic() < ends_at and not self._resources.draining

        async with (await self._resources.pg()).acquire(timeout=5) as connection:
            if not await recalling.lock(connection):
                return
            try:
                await self._work(connection, self._open(), goes_on)
            except StoreFailed as error:
                FAILURES.add()
                logger.warning("the archive cannot be worked on: %s", error)
            finally:
                await recalling.unlock(connection)

    def _open(self) -> Store | None:
        if self._store is None:
            try:
                self._store = open_store(self._settings)
            except NoArchive:
                return None
        return self._store

    async def _work(
        self, connection: asyncpg.Connection, store: Store | None, goes_on: Callable[[], bool]
    ) -> None:
        from events.housekeep.archive import queries
        from events.housekeep.archive.retention import Retention
        from shared.archive import recalling

        await self._erase(connection, store, goes_on)
        if store is not None:
            for recall in await queries.running_recalls(connection):
                if await recalling.bring_back(connection, store, recall, goes_on) == "running":
                    return
        retention = Retention(connection, store, goes_on)
        await retention.work()
        for reason in REASONS:
            WAITING.set(reason, to=retention.waiting.get(reason, 0))

    async def _erase(
        self, connection: asyncpg.Connection, store: Store | None, goes_on: Callable[[], bool]
    ) -> None:
        from events.housekeep.archive import queries
        from events.housekeep.archive.erasing import Erasing
        from shared.archive.reading import Damaged

        erasures = await queries.erasures(connection)
        self._looked = {row["id"]: self._looked.get(row["id"], {}) for row in erasures}
        if not erasures:
            return
        projects = {row["id"]: row for row in await queries.keepings(connection)}
        holds = await queries.holds(connection)
        for erasure in erasures:
            project = projects[erasure["project_id"]]
            try:
                await Erasing(
                    connection,
                    store,
                    erasure,
                    project=project,
                    holds=holds,
                    goes_on=goes_on,
                    looked=self._looked[erasure["id"]],
                ).work()
            except (Damaged, MissingObject) as error:
                # Of others the work goes on.
                FAILURES.add()
                logger.warning("an erasure cannot go on: %s", error)
