"""What must be known of a project before whoever asks has proven anything: by its name, and at little cost."""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from functions.ingest import queries
from shared.auth.access import Access, ProducerAccess
from shared.auth.permissions import PROJECT_NAME
from shared.cache.lookup import Lookup
from shared.core.problems import UNAVAILABLE, Problem
from shared.core.token_bucket import Bucket, Limit, limit_of
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

REMEMBER_SECONDS = 1.0
FORGET_SECONDS = 5.0
"""How long a name that no project has is remembered as one."""

LOAD_SECONDS = 5.0
PROJECTS = 2_000
PERMISSION = "events:write"

UNKNOWN = Limit(rate_per_second=50, burst=200)
"""How many names that this process has not met may be looked up: made-up names must not become queries."""


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """Whose tokens are a credential of a producer: of `issuer`, for `audience`, with a `sub` that fits `subject`."""

    issuer: str
    audience: str
    subject: str
    access: Access


@dataclass(frozen=True, slots=True)
class Project:
    """What a project grants in the hand-shake, and whose tokens it trusts. No origins are any; no limit is none."""

    limit: Limit | None
    allowed_origins: tuple[str, ...]
    issuers: tuple[TrustedIssuer, ...]


class Projects:
    """What one process remembers of projects by name."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._met: dict[str, None] = {}
        self._unknown = Bucket(UNKNOWN, monotonic())
        self._lookup: Lookup[str, Project | None] = Lookup(
            self._load, name="projects", seconds=REMEMBER_SECONDS, none_seconds=FORGET_SECONDS, size=PROJECTS
        )

    async def get(self, name: str) -> Project | None:
        """The project of that name, None when there is none. No I/O within the second.

        Raises Problem 503 while too many names are asked for that nobody has.
        """
        if PROJECT_NAME.fullmatch(name) is None:
            return None
        return await self._lookup.get(name)

    async def _load(self, name: str) -> Project | None:
        if name not in self._met and not self._unknown.take(1, monotonic()):
            raise Problem(
                UNAVAILABLE, "Too much is asked at the moment. Try again.", headers={"Retry-After": "1"}
            )
        async with asyncio.timeout(LOAD_SECONDS):
            rows = await queries.project_named(await self._resources.pg(), name)
        self._met.pop(name, None)
        if not rows:
            return None
        while len(self._met) >= PROJECTS:
            del self._met[next(iter(self._met))]
        self._met[name] = None
        first = rows[0]
        return Project(
            limit_of(first["project_rate"], first["project_burst"]),
            tuple(first["allowed_origins"]),
            tuple(_issuer(row) for row in rows if row["issuer"] is not None),
        )


def _issuer(row: "Record") -> TrustedIssuer:
    return TrustedIssuer(
        issuer=row["issuer"],
        audience=row["audience"],
        subject=row["subject"],
        access=Access(
            project_id=row["project_id"],
            project_name=row["project_name"],
            principal=f"producer:{row['name']}",
            permissions=frozenset({PERMISSION}),
            producer=ProducerAccess(row["id"], row["name"], tuple(row["sources"]), tuple(row["types"])),
            limit=limit_of(row["rate_per_second"], row["burst"])
            or limit_of(row["project_rate"], row["project_burst"]),
            bucket=f"producer:{row['id']}",
        ),
    )
