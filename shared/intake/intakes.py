"""What each project says of its event types, remembered and loaded anew when it has changed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.cache.lookup import Lookup
from shared.intake import queries
from shared.intake.rules import Rules, read_rules
from shared.runtime.resources import Resources

REMEMBER_SECONDS = 1.0
"""How long what was changed may still be gone by."""

LOAD_SECONDS = 5.0
PROJECTS = 2_000


@dataclass(frozen=True, slots=True)
class Intake:
    """What one project said, at one `version` of it.

    `types` has those that have rules: all others are let through as they are.
    """

    version: int
    types: Mapping[str, Rules]


class Intakes:
    """What one process remembers of projects: asked for once a second, loaded where the version is another."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._last: dict[UUID, Intake] = {}
        self._lookup: Lookup[UUID, Intake | None] = Lookup(
            self._load, name="intakes", seconds=REMEMBER_SECONDS, size=PROJECTS
        )

    async def get(self, project_id: UUID) -> Intake | None:
        """How this project takes events in; None when there is no such project. No I/O within the second."""
        return await self._lookup.get(project_id)

    async def _load(self, project_id: UUID) -> Intake | None:
        async with asyncio.timeout(LOAD_SECONDS):
            pool = await self._resources.pg()
            version = await queries.intake_version(pool, project_id)
            last = self._last.pop(project_id, None)
            if version is None:
                return None
            if last is None or last.version != version:
                last = Intake(version, read_rules(await queries.type_rules(pool, project_id)))
            self._keep(project_id, last)
            return last

    def _keep(self, project_id: UUID, intake: Intake) -> None:
        """The one that nobody asked for the longest goes first."""
        self._last.pop(project_id, None)
        while len(self._last) >= PROJECTS:
            del self._last[next(iter(self._last))]
        self._last[project_id] = intake
