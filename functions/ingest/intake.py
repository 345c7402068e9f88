"""By what a project takes events in: its limits, and what it knows of its event types."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from functions.ingest import queries
from functions.ingest.rules import Rules, read_rules
from shared.cache.lookup import Lookup
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

REMEMBER_SECONDS = 1.0
"""How long what was changed may still be gone by."""

LOAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Intake:
    """What one project said, at one `version` of it. `rate_per_second` None is no limit; no origins are any.

    `types` has those that have rules: all others are let through as they are.
    """

    version: int
    rate_per_second: int | None
    burst: int | None
    allowed_origins: tuple[str, ...]
    types: Mapping[str, Rules]


class Intakes:
    """What one process remembers of projects: asked for once a second, loaded where the version is another."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._last: dict[UUID, Intake] = {}
        self._lookup: Lookup[UUID, Intake | None] = Lookup(self._load, seconds=REMEMBER_SECONDS)

    async def get(self, project_id: UUID) -> Intake | None:
        """How this project takes events in; None when there is no such project. No I/O within the second."""
        return await self._lookup.get(project_id)

    async def _load(self, project_id: UUID) -> Intake | None:
        async with asyncio.timeout(LOAD_SECONDS):
            pool = await self._resources.pg()
            row = await queries.intake(pool, project_id)
            if row is None:
                self._last.pop(project_id, None)
                return None
            last = self._last.get(project_id)
            if last is None or last.version != row["intake_version"]:
                last = self._last[project_id] = _read(row, await queries.type_rules(pool, project_id))
            return last


def _read(row: "Record", types: "Iterable[Record]") -> Intake:
    return Intake(
        version=row["intake_version"],
        rate_per_second=row["rate_per_second"],
        burst=row["burst"],
        allowed_origins=tuple(row["allowed_origins"]),
        types=read_rules(types),
    )
