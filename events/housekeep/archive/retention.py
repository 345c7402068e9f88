"""What has been kept for long enough leaves the database, by way of the archive; and the archive, later."""

import logging
from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

import asyncpg

from events.housekeep.archive import queries
from events.housekeep.archive.due import is_over, today, touch
from events.housekeep.archive.writing import archive_day
from shared.archive.manifest import folder_of, manifest_key
from shared.archive.store import Store, StoreFailed
from shared.archive.wanted import keys_of

ROWS = 2_000
"""How many events of one project are removed at once, where others need the rest of the day."""

logger = logging.getLogger("weir.housekeep")


class Retention:
    """One look at every day. `store` is None where no archive is configured: then what should go there waits."""

    def __init__(
        self, connection: asyncpg.Connection, store: Store | None, goes_on: Callable[[], bool]
    ) -> None:
        self._connection = connection
        self._store = store
        self._goes_on = goes_on
        self._projects: Mapping[UUID, asyncpg.Record] = {}
        self._holds: list[asyncpg.Record] = []
        self._recalls: list[asyncpg.Record] = []
        self.waiting: dict[tuple[UUID, str], tuple[int, date]] = {}
        """Of each project and reason how many days are over and still there, and the oldest of them."""
        self.is_whole = False
        """Whether every day was looked at."""
        self.failure: StoreFailed | None = None
        """What the store failed with: from then on nothing is asked of it."""

    async def work(self) -> None:
        """Do what is due, the oldest first, until there is nothing or `goes_on` says no.

        What a store that fails keeps from going waits for it. Raises what the database raises.
        """
        self._projects = {row["id"]: row for row in await queries.keepings(self._connection)}
        self._holds = await queries.holds(self._connection)
        self._recalls = await queries.recalls(self._connection)
        last = today()
        if any(row["retention_days"] for row in self._projects.values()):
            for day in await queries.days(self._connection):
                if not self._goes_on():
                    return
                # The shortest retention there is: what is younger is nobody's to go.
                if is_over(day, 1, last):
                    await self._look_at(day, last)
            await self._shorten_archives(last)
        self.is_whole = self._goes_on()

    async def _look_at(self, day: date, last: date) -> None:
        low, high = keys_of(day)
        going, stays = [], False
        for project_id in await queries.projects_in(self._connection, low, high):
            if await self._may_go(project_id, day, last):
                going.append(project_id)
            else:
                stays = True
        if not self._goes_on():
            return
        if not stays:
            # A day in which nothing was received, too, once nobody can want it back.
            if going or self._nobody_keeps(day, last):
                await self._drop(day)
            return
        for project_id in going:
            await self._remove(project_id, day)

    async def _may_go(self, project_id: UUID, day: date, last: date) -> bool:
        project = self._projects.get(project_id)
        if project is None:  # it is no more
            return True
        if not is_over(day, project["retention_days"], last):
            return False
        low, high = keys_of(day)
        if await queries.has_unread(self._connection, low, high):
            return self._waits(project_id, "unread", day)
        if await queries.has_open(self._connection, project_id, low, high):
            return self._waits(project_id, "deliveries", day)
        if project["archive_days"] != 0 or touch(self._holds, project_id, day):
            if self._store is None:
                return self._waits(project_id, "archive", day)
            if self.failure is not None:
                return self._waits(project_id, "store", day)
            try:
                if not await archive_day(self._connection, self._store, project, day, self._goes_on):
                    return False
            except StoreFailed as error:
                self.failure = error
                return self._waits(project_id, "store", day)
        return not touch(self._recalls, project_id, day)

    def _waits(self, project_id: UUID, why: str, day: date) -> bool:
        days, oldest = self.waiting.get((project_id, why), (0, day))
        self.waiting[project_id, why] = (days + 1, oldest)
        return False

    def _nobody_keeps(self, day: date, last: date) -> bool:
        return all(is_over(day, row["retention_days"], last) for row in self._projects.values())

    async def _drop(self, day: date) -> None:
        try:
            async with self._connection.transaction():
                if await queries.drop_day(self._connection, day):
                    await queries.note_removed(self._connection, day)
                    logger.info("dropped the partitions of %s", day)
        except asyncpg.LockNotAvailableError:
            logger.info("the partitions of %s are in use; they are dropped later", day)

    async def _remove(self, project_id: UUID, day: date) -> None:
        low, high = keys_of(day)
        while self._goes_on():
            if not await queries.remove(self._connection, project_id, low, high, limit=ROWS):
                await queries.note_removed(self._connection, day, project_id)
                return

    async def _shorten_archives(self, last: date) -> None:
        """Forget days whose time in the archive is over, but for those that a hold may mean, or a recall."""
        if self._store is None or self.failure is not None:
            return
        for project in self._projects.values():
            if project["archive_days"] is None:
                continue
            for day in await queries.sealed_before(self._connection, project["id"], last):
                if not self._goes_on():
                    return
                if (
                    is_over(day, project["archive_days"], last)
                    and not touch(self._holds, project["id"], day)
                    and not touch(self._recalls, project["id"], day)
                ):
                    try:
                        await forget(self._connection, self._store, project["id"], day)
                    except StoreFailed as error:
                        self.failure = error
                        return
                    logger.info("the archive of %s has no %s any more", project["name"], day)


async def forget(connection: asyncpg.Connection, store: Store, project_id: UUID, day: date) -> None:
    """Take a day out of the archive: first what says that it is whole, last what says that it is there."""
    keys = await store.keys(folder_of(project_id, day))
    first = manifest_key(project_id, day)
    await store.delete([first])
    await store.delete([key for key in keys if key != first])
    await queries.forget_day(connection, project_id, day)
