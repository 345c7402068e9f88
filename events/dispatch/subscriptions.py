"""The subscriptions of projects as dispatch knows them."""

import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp
import msgspec
from yarl import URL

from events.dispatch import queries
from events.dispatch.binding import BindingSettings, read_binding
from events.dispatch.special import Special, Unusable, special_of
from shared.auth.sealing import UnsealError, unseal
from shared.core.delivery import DEFAULT, K_SINK, DeliveryPolicy, InvalidPolicy, parse_policy
from shared.core.filters import Filter, InvalidFilter, compile_filters
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

PROJECTS = 10_000

logger = logging.getLogger("weir.dispatch")


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One subscription at one version. `broken` says why nothing can be delivered for it.

    `special` is None where a signed POST is all that is asked for.
    """

    id: UUID
    project_id: UUID
    version: int
    state: str
    filter: Filter
    sink: str
    url: URL
    policy: DeliveryPolicy
    secrets: tuple[str, ...]
    timeout: aiohttp.ClientTimeout
    dead_letter_url: URL | None
    broken: str | None = None
    special: Special | None = None


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The subscriptions of one project, as of its `version`."""

    version: int
    by_id: dict[UUID, Subscription]


NOBODY = Subscribers(-1, {})


class SubscriptionCache:
    """Remembers the subscriptions of projects until their version changes.

    The version comes with every batch of events, read in the same snapshot: so a subscription applies to every
    event that is acknowledged after it was saved, without a query for each.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._projects: dict[UUID, Subscribers] = {}
        self._binding = read_binding(os.environ, allowed=BindingSettings().bound_sink)

    async def get(self, project_id: UUID, version: int | None) -> Subscribers:
        """Subscriptions at `version` or later; `version` None is a project that is gone."""
        if version is None:
            self._projects.pop(project_id, None)
            return NOBODY
        found = self._projects.get(project_id)
        if found is None or found.version < version:
            rows = await queries.subscriptions(await self._resources.pg(), project_id)
            found = self._compiled(project_id, rows)
            self._projects.pop(project_id, None)
            while len(self._projects) >= PROJECTS:
                del self._projects[next(iter(self._projects))]
            self._projects[project_id] = found
        return found

    def _compiled(self, project_id: UUID, rows: "list[Record]") -> Subscribers:
        if not rows:
            return NOBODY
        found = {row["id"]: self._subscription(project_id, row) for row in rows if row["id"] is not None}
        return Subscribers(rows[0]["project_version"], found)

    def _subscription(self, project_id: UUID, row: "Record") -> Subscription:
        """What cannot be read passes nothing on quietly: it matches all and its deliveries end dead, said so."""
        broken, special = None, None
        sink: str = row["sink"]
        filters, policy = compile_filters([]), DEFAULT
        secrets: tuple[str, ...] = ()
        try:
            filters = compile_filters(row["filters"])
            policy = parse_policy(row["delivery"])
            secrets = self._secrets(row["signing_secrets_sealed"])
            special = special_of(row, policy, self._resources, self._binding)
        except (InvalidFilter, InvalidPolicy, UnsealError, Unusable, msgspec.MsgspecError) as error:
            broken = f"the subscription cannot be used: {error}"
            logger.error("subscription %s: %s", row["id"], error)  # noqa: TRY400 the trace says nothing
        if sink == K_SINK:
            sink = self._binding.url or sink
        return Subscription(
            id=row["id"],
            project_id=project_id,
            version=row["version"],
            state=row["state"],
            filter=filters,
            sink=sink,
            url=URL(sink, encoded=True),
            policy=policy,
            secrets=secrets,
            timeout=aiohttp.ClientTimeout(total=policy.timeout_seconds),
            dead_letter_url=(
                URL(policy.dead_letter_sink, encoded=True) if policy.dead_letter_sink is not None else None
            ),
            broken=broken,
            special=special,
        )

    def _secrets(self, sealed: bytes | None) -> tuple[str, ...]:
        if sealed is None:
            return ()
        plain: Any = unseal(self._resources.settings.secret, sealed)
        return msgspec.json.decode(plain, type=tuple[str, ...])
