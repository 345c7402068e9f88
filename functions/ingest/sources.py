"""By what a source's requests are checked and mapped: looked up once a second."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from functions.ingest import queries
from shared.auth.permissions import PROJECT_NAME
from shared.auth.sealing import UnsealError
from shared.auth.source_secrets import open_secrets
from shared.cache.lookup import Lookup
from shared.core.problems import UNAVAILABLE, Problem
from shared.core.token_bucket import Limit, limit_of
from shared.core.webhooks.kind import is_name
from shared.core.webhooks.load import load_kinds
from shared.core.webhooks.recipe import InvalidSettings, Recipe, read_settings
from shared.runtime.outage import RETRY_AFTER_SECONDS
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

REMEMBER_SECONDS = 1.0
"""How long a changed secret may still be taken, and a deleted source answer."""

LOAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Source:
    """A source as ingest needs it. Without a limit of its own it has the project's, if there is one."""

    id: UUID
    project_id: UUID
    name: str
    recipe: Recipe
    secrets: tuple[str, ...] = field(repr=False)
    limit: Limit | None

    @property
    def producer(self) -> str:
        """Under what name its events are stored."""
        return f"source:{self.name}"


class Sources:
    """What one process remembers of sources, each for a second, those that are not there too."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._lookup: Lookup[tuple[str, str], Source | None] = Lookup(
            self._load, name="sources", seconds=REMEMBER_SECONDS
        )

    async def get(self, project: str, name: str) -> Source | None:
        """The source of that name. Raises Problem 503 for one that this deployment cannot use as it is."""
        if PROJECT_NAME.fullmatch(project) is None or is_name(name) is None:
            return None
        return await self._lookup.get((project, name))

    async def _load(self, key: tuple[str, str]) -> Source | None:
        async with asyncio.timeout(LOAD_SECONDS):
            row = await queries.source(await self._resources.pg(), *key)
        return None if row is None else self._read(row)

    def _read(self, row: "Record") -> Source:
        settings = self._resources.settings
        kind = load_kinds(settings.source_kinds_dir).get(row["kind"])
        if kind is None:
            raise _unusable(row, f"there is no kind {row['kind']!r} in this deployment")
        try:
            recipe = read_settings(kind, row["settings"])
            secrets = open_secrets(settings.sealing, row["id"], row["secrets_sealed"])
        except (InvalidSettings, UnsealError) as error:
            raise _unusable(row, str(error)) from None
        return Source(
            id=row["id"],
            project_id=row["project_id"],
            name=row["name"],
            recipe=recipe,
            secrets=secrets,
            limit=limit_of(row["rate_per_second"], row["burst"])
            or limit_of(row["project_rate"], row["project_burst"]),
        )


def _unusable(row: "Record", reason: str) -> Problem:
    """503 and not 4xx: it is nothing that the sender did, and its retries bring the event when this is mended."""
    return Problem(
        UNAVAILABLE,
        "This source cannot be used as it is kept. Whoever keeps it has to save it again, with its secrets.",
        internal=f"source {row['id']}: {reason}",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
