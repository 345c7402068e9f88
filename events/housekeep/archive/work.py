"""One tick's work on what is old: first what people asked for, then what is due."""

import logging
from collections.abc import Callable
from time import monotonic

import asyncpg

from shared.archive.opening import NoArchive, open_store
from shared.archive.settings import ArchiveSettings
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources

FAILURES = METRICS.counter("weir_archive_failures_total", "Ticks whose work on the archive did not succeed.")

logger = logging.getLogger("weir.housekeep")


class Keeper:
    """Works on the archive for some seconds of each tick, where no other process does."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._settings = ArchiveSettings()
        self._store: Store | None = None

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

        await self._erase(connection, store, goes_on)
        if store is not None and not await self._bring_back(connection, store, goes_on):
            return
        retention = Retention(connection, store, goes_on)
        await retention.work()
        if retention.failure is not None:
            _failed("nothing goes to the archive", retention.failure)
        await queries.note_waits(connection, retention.waiting, whole=retention.is_whole)

    async def _erase(
        self, connection: asyncpg.Connection, store: Store | None, goes_on: Callable[[], bool]
    ) -> None:
        from events.housekeep.archive import queries
        from events.housekeep.archive.erasing import Erasing
        from shared.archive.holding import Holding
        from shared.archive.reading import Damaged

        erasures = await queries.erasures(connection)
        if not erasures:
            return
        projects = {row["id"]: row for row in await queries.keepings(connection)}
        holds = await queries.holds(connection)
        for erasure in erasures:
            project = projects[erasure["project_id"]]
            holding = Holding(row for row in holds if row["project_id"] == project["id"])
            try:
                await Erasing(
                    connection, store, erasure, project=project, holding=holding, goes_on=goes_on
                ).work()
            except (Damaged, MissingObject) as error:
                # Of others the work goes on.
                _failed("an erasure cannot go on", error)
            except StoreFailed as error:
                _failed("an erasure cannot go on", error)
                return

    async def _bring_back(
        self, connection: asyncpg.Connection, store: Store, goes_on: Callable[[], bool]
    ) -> bool:
        """Go on with recalls; whether there is time left."""
        from events.housekeep.archive import queries
        from shared.archive import recalling

        for recall in await queries.running_recalls(connection):
            try:
                if await recalling.bring_back(connection, store, recall, goes_on) == "running":
                    return False
            except StoreFailed as error:
                _failed("a recall cannot go on", error)
                return True
        return True


def _failed(what: str, error: Exception) -> None:
    FAILURES.add()
    logger.warning("%s: %s", what, error)
