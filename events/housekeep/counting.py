"""Keeping the counts that screens show, of every project in which something happened."""

import logging
from collections.abc import Callable
from time import monotonic

import asyncpg

from shared.db.pool import UNANSWERED
from shared.rollups import queries
from shared.rollups.upkeep import SLACK, refresh

SECONDS = 25.0
"""Of a minute, for all projects together. Who is not reached is the first at the next tick."""

PROJECT_SECONDS = 5.0

logger = logging.getLogger("weir.housekeep")


async def count_projects(pool: asyncpg.Pool, goes_on: Callable[[], bool]) -> int:
    """Count what is new and what changed, while `goes_on`; how many projects were reached.

    Of a project that cannot be counted the reason is logged, and the others are counted nevertheless.
    """
    until = monotonic() + SECONDS
    reached = 0
    for project_id in await queries.due_projects(pool, int(SLACK.total_seconds())):
        if monotonic() >= until or not goes_on():
            break
        try:
            reached += await refresh(pool, project_id, budget_seconds=PROJECT_SECONDS)
        except UNANSWERED as error:
            logger.warning("project %s cannot be counted: %s: %s", project_id, type(error).__name__, error)
    return reached
