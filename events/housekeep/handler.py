"""Makes the partitions of the days around today, so that midnight finds them there, counts, archives what is old, and
indexes what is over.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from events.housekeep import queries
from events.housekeep.archive.work import Keeper
from events.housekeep.counting import count_projects
from events.housekeep.gauges import Gauges
from shared.db.ticks import note_tick
from shared.runtime.handler import Handler, OwnEvent
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    import asyncpg

AFTER_MIDNIGHT = timedelta(minutes=10)

logger = logging.getLogger("weir.housekeep")


class Housekeep:
    """Handles `dev.weir.tick`. Doing it twice does nothing."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._keeper = Keeper(resources)

    async def handle(self, _event: OwnEvent) -> None:
        """Raises what the database raises; the next tick tries again."""
        today = datetime.now(UTC).date()
        pool = await self._resources.pg()
        await note_tick(pool, "housekeep")
        made = await queries.ensure_partitions(pool, today - timedelta(days=1), today + timedelta(days=2))
        if made:
            logger.info("made %d partitions up to %s", made, today + timedelta(days=2))
        await count_projects(pool, self._goes_on)
        if self._goes_on():
            await self._keeper.work()
        if self._goes_on():
            await self._index(pool)

    def _goes_on(self) -> bool:
        return not self._resources.draining

    async def _index(self, pool: "asyncpg.Pool") -> None:
        """Index what was received lately, and one day that is over in one more way."""
        now = datetime.now(UTC)
        await queries.summarize_events(pool, (now - timedelta(days=1)).date())
        # What was received just before midnight may still be on its way into yesterday.
        if await queries.index_day(pool, (now - AFTER_MIDNIGHT).date()):
            logger.info("indexed a day that is over in one more way")

    async def drain(self) -> None:
        """Nothing is left under way."""


def create(resources: Resources) -> Handler:
    """The handler of this function; it shows what the database says of everybody's work among its metrics."""
    resources.at_scrape(Gauges(resources).measure)
    return Housekeep(resources)
