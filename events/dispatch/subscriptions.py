"""The subscriptions of projects as dispatch knows them."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import msgspec
from yarl import URL

from events.dispatch import queries
from shared.auth.sealing import UnsealError
from shared.auth.sink_secrets import open_signing_secrets
from shared.core.cloudevents import Event
from shared.core.delivery import DEFAULT, K_SINK, DeliveryPolicy, InvalidPolicy, parse_policy
from shared.core.filters import (
    NO_DATA,
    Attributes,
    EventData,
    Filter,
    InvalidFilter,
    compile_filters,
    data_of,
)
from shared.core.matching import REMEMBERED_BYTES, Budget, Matches, MatchIndex
from shared.runtime.resources import Resources
from shared.sending.binding import BindingSettings, read_binding
from shared.sending.special import Special, Unusable, special_of

if TYPE_CHECKING:
    from asyncpg import Record

T = TypeVar("T")

PROJECTS = 10_000
NOWHERE = URL()
"""The address of a subscription that cannot be used."""


CHUNK = 500
"""How many subscriptions are read by one statement, or changed in one go."""

TURN_SECONDS = 0.005
"""How long the work on many subscriptions goes on before others have their turn."""

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
    dead_letter_url: URL | None
    broken: str | None = None
    special: Special | None = None


class Subscribers:
    """The subscriptions of one project, as of its `version`, and the index over the filters of those that run."""

    __slots__ = ("by_id", "index", "version")

    def __init__(self, version: int, budget: Budget | None = None) -> None:
        """`budget` is what its index may remember together with those of other projects."""
        self.version = version
        self.by_id: dict[UUID, Subscription] = {}
        self.index: MatchIndex[Subscription] = MatchIndex(budget)

    def put(self, subscription: Subscription) -> None:
        """Add it, or replace the one that was."""
        self.by_id[subscription.id] = subscription
        if subscription.state == "disabled":
            self.index.drop(subscription.id)
        else:
            self.index.put(subscription.id, subscription, subscription.filter)

    def drop(self, subscription_id: UUID) -> None:
        """Take it out."""
        self.by_id.pop(subscription_id, None)
        self.index.drop(subscription_id)

    def matches(self, event: Event) -> Matches[Subscription]:
        """Those whose filter the event passes; disabled ones do not count."""
        constant = self.index.constant
        if constant is not None:
            return constant
        attributes, data = event.attributes(), data_of(event) if self.index.sees_data else NO_DATA
        try:
            return self.index.match(attributes, data)
        except Exception:
            # Whatever it is, it must not take the event from everybody.
            logger.exception("the index cannot be used; every filter is asked")
            return self._by_asking_each(attributes, data)

    def _by_asking_each(self, attributes: Attributes, data: EventData) -> Matches[Subscription]:
        found: list[Subscription] = []
        failed: list[tuple[Subscription, Exception]] = []
        for subscription in self.by_id.values():
            if subscription.state == "disabled":
                continue
            try:
                if subscription.filter.matches(attributes, data):
                    found.append(subscription)
            except Exception as error:
                failed.append((subscription, error))
        return Matches(tuple(found), tuple(failed))


NOBODY = Subscribers(-1)


class SubscriptionCache:
    """Remembers the subscriptions of projects until their version changes.

    The version comes with every batch of events, read in the same snapshot: so a subscription applies to every
    event that is acknowledged after it was saved, without a query for each. When the version has changed, only
    those subscriptions are read again that did.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._projects: dict[UUID, Subscribers] = {}
        self._budget = Budget(REMEMBERED_BYTES)
        self._binding = read_binding(os.environ, allowed=BindingSettings().bound_sink)
        self._reading: dict[UUID, asyncio.Lock] = {}

    async def get(self, project_id: UUID, version: int | None) -> Subscribers:
        """Subscriptions at `version` or later; `version` None is a project that is gone."""
        if version is None:
            self._projects.pop(project_id, None)
            return NOBODY
        found = self._projects.get(project_id)
        if found is not None and found.version >= version:
            return found
        async with self._reading.setdefault(project_id, asyncio.Lock()):
            found = self._projects.get(project_id)
            if found is None or found.version < version:
                found = await self._read(project_id, found)
        return found

    async def _read(self, project_id: UUID, known: Subscribers | None) -> Subscribers:
        """What there is now, made from what was known and what has changed since."""
        pool = await self._resources.pg()
        states = await queries.subscription_states(pool, project_id)
        if not states:
            self._projects.pop(project_id, None)
            return NOBODY
        by_id = {} if known is None else known.by_id
        now = {row["id"] for row in states}
        changed = [
            row["id"]
            for row in states
            if row["id"] is not None
            and (
                (was := by_id.get(row["id"])) is None
                or (was.version, was.state) != (row["version"], row["state"])
            )
        ]
        fresh: list[Subscription] = []
        for start in range(0, len(changed), CHUNK):
            chunk = changed[start : start + CHUNK]
            rows = await queries.subscriptions(pool, project_id, chunk)
            now.difference_update(set(chunk) - {row["id"] for row in rows})  # gone since
            fresh.extend([self._subscription(project_id, row) async for row in _politely(rows)])
        version: int = states[0]["project_version"]
        if known is None or len(fresh) > CHUNK:
            # Not in the eyes of those who match meanwhile.
            old = now.difference(changed)
            unchanged = [subscription for subscription in by_id.values() if subscription.id in old]
            found = Subscribers(version, self._budget)
            async for subscription in _politely([*unchanged, *fresh]):
                found.put(subscription)
        else:
            found = known
            for gone in [identity for identity in by_id if identity not in now]:
                found.drop(gone)
            for subscription in fresh:
                found.put(subscription)
            found.version = version
        self._projects.pop(project_id, None)
        while len(self._projects) >= PROJECTS:
            oldest = next(iter(self._projects))
            del self._projects[oldest]
            if not self._reading[oldest].locked():
                del self._reading[oldest]
        self._projects[project_id] = found
        return found

    def _subscription(self, project_id: UUID, row: "Record") -> Subscription:
        """What cannot be read passes nothing on quietly: it matches all and its deliveries end dead, said so.

        Whatever is wrong with it, it is no reason to stop what others get.
        """
        broken, special = None, None
        sink: str = row["sink"]
        filters, policy = compile_filters([]), DEFAULT
        secrets: tuple[str, ...] = ()
        url, dead_letter_url = NOWHERE, None
        if sink == K_SINK:
            sink = self._binding.url or sink
        try:
            filters = compile_filters(row["filters"])
            policy = parse_policy(row["delivery"])
            secrets = open_signing_secrets(self._resources.settings.sealing, row["signing_secrets_sealed"])
            special = special_of(row, policy, self._resources, self._binding)
            url = URL(sink, encoded=True)
            if policy.dead_letter_sink is not None:
                dead_letter_url = URL(policy.dead_letter_sink, encoded=True)
        except (InvalidFilter, InvalidPolicy, UnsealError, Unusable, msgspec.MsgspecError) as error:
            broken = f"the subscription cannot be used: {error}"
            logger.error("subscription %s: %s", row["id"], error)  # noqa: TRY400 the trace says nothing
        except Exception as error:
            broken = f"the subscription cannot be used: {type(error).__name__}"
            logger.exception("subscription %s cannot be used", row["id"])
        return Subscription(
            id=row["id"],
            project_id=project_id,
            version=row["version"],
            state=row["state"],
            filter=filters,
            sink=sink,
            url=url,
            policy=policy,
            secrets=secrets,
            dead_letter_url=dead_letter_url,
            broken=broken,
            special=special,
        )


async def _politely(things: Sequence[T]) -> AsyncIterator[T]:
    """`things` one by one, with turns for others in between."""
    until = time.monotonic() + TURN_SECONDS
    for thing in things:
        yield thing
        if time.monotonic() > until:
            await asyncio.sleep(0)
            until = time.monotonic() + TURN_SECONDS
