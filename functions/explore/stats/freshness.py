"""Counting what is new before it is shown, without having anybody wait for it long."""

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from shared.rollups.upkeep import refresh
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.db.project_pool import ProjectPool

WAIT_SECONDS = 0.05
"""How long a reader waits for a count; then it is shown what is there, and the count goes on."""

FIRST_WAIT_SECONDS = 1.0
"""The same for a project that this process has not counted yet."""

EVERY_SECONDS = 2.0
AT_MOST = 0.1
"""Counting takes no more than this share of the time, however many look."""

BUDGET_SECONDS = 1.0
"""For minutes that are marked; what remains is for housekeeping."""

KEPT = 1_000
"""Projects that this process remembers having counted."""

logger = logging.getLogger("weir.explore")


class Freshness:
    """The counts of projects that somebody looks at, in one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._next: dict[UUID, float] = {}
        """From when on each project may be counted again."""

        self._running: dict[UUID, asyncio.Task[None]] = {}
        resources.at_close(self._close)
        resources.at_rest(self._settle)

    async def ensure(self, project_id: UUID) -> None:
        """Have the project counted, unless that was done a moment ago."""
        task = self._running.get(project_id)
        first = project_id not in self._next
        if task is None and monotonic() >= self._next.get(project_id, 0.0):
            pool = await self._resources.of(project_id)
            task = self._running.get(project_id)
            if task is None:
                task = asyncio.get_running_loop().create_task(self._count(pool, project_id))
                self._running[project_id] = task
        if task is not None:
            await asyncio.wait({task}, timeout=FIRST_WAIT_SECONDS if first else WAIT_SECONDS)

    async def _count(self, pool: "ProjectPool", project_id: UUID) -> None:
        started = monotonic()
        try:
            await refresh(pool, project_id, budget_seconds=BUDGET_SECONDS)
        except Exception as error:
            # What was counted before is shown, with its time: readers need not fail.
            logger.warning("project %s cannot be counted: %s: %s", project_id, type(error).__name__, error)
        finally:
            ended = monotonic()
            if len(self._next) >= KEPT:
                self._next = {project: at for project, at in self._next.items() if at > ended}
            self._next[project_id] = ended + max(EVERY_SECONDS, (ended - started) / AT_MOST)
            self._running.pop(project_id, None)

    async def _settle(self, timeout_seconds: float) -> None:
        if self._running:
            await asyncio.wait(set(self._running.values()), timeout=timeout_seconds)

    async def _close(self) -> None:
        running = set(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
