"""From what is asked for to what there is: names resolved, everything counted, and what stands against it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.replays import queries
from functions.replays.counting import Count, Prospect, count, prospects
from functions.replays.draft import Draft
from shared.auth.access import Access
from shared.core.ids import floor
from shared.core.problems import CONFLICT, Problem
from shared.core.things import no_such, read_uuid, there
from shared.replays.selection import Selection

if TYPE_CHECKING:
    from asyncpg import Connection, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done, as it was counted at `frozen_at`."""

    draft: Draft
    selection: Selection
    target: UUID | None
    target_name: str | None
    low: UUID
    high: UUID
    frozen_at: datetime
    count: Count
    prospects: dict[UUID, Prospect]
    left_out: dict[UUID, int]

    @property
    def totals(self) -> dict[UUID | None, int]:
        """How many go to each sink that takes anything."""
        return {
            identity: total
            for identity, total in self.count.totals.items()
            if self.draft.kind == "cancel"
            or identity is None
            or (found := self.prospects.get(identity)) is None
            or found.takes
        }


async def make_plan(conn: "Connection", access: Access, draft: Draft) -> Plan:
    """Resolve names, and count. Raises Problem 404 for a subscription that is not there."""
    selection = draft.selection
    if draft.subscriptions:
        meant = [await _meant(conn, access, wanted) for wanted in draft.subscriptions]
        selection = replace(selection, subscriptions=tuple(meant))
    target = target_name = None
    if draft.to is not None:
        row = await _subscription(conn, access, draft.to)
        target, target_name = row["id"], row["name"]
        if selection.filters is None and not selection.is_named and not selection.is_of_deliveries:
            # Who says no more than a time means what the subscription asks for.
            selection = replace(selection, filters=tuple(row["filters"]))
    now = datetime.now(UTC)
    low, high = selection.bounds
    high = min(high, floor(int(now.timestamp() * 1000) + 1)) if not selection.is_named else high
    asked = selection
    if draft.kind != "replay":
        selection = replace(selection, left_out=())
    found = await count(conn, draft.kind, selection, target, low=low, high=high, frozen_at=now)
    if not found.is_exact and draft.kind != "replay":
        # Whose deliveries were not reached in time to be counted is meant all the same.
        meant_all = selection.subscriptions or await queries.all_subscriptions(conn, access.project_id)
        found = replace(found, totals={**dict.fromkeys(meant_all, 0), **found.totals})
    left_out = {
        identity: total
        for identity, total in found.totals.items()
        if identity is not None and identity in asked.left_out
    }
    kept = Count(
        {identity: total for identity, total in found.totals.items() if identity not in left_out},
        found.duplicates,
        found.is_exact,
    )
    ids = {identity for identity in found.totals if identity is not None}
    if target is not None:
        ids.add(target)
    return Plan(
        draft=draft,
        selection=asked if draft.kind != "replay" else selection,
        target=target,
        target_name=target_name,
        low=low,
        high=high,
        frozen_at=now,
        count=kept,
        prospects=await prospects(conn, access.project_id, list(ids), now),
        left_out=left_out,
    )


async def check_named(conn: "Connection", access: Access, plan: Plan) -> None:
    """Raises Problem 404 for the one delivery or event that is named and not there, also where it is only counted."""
    selection = plan.selection
    if plan.totals:
        return
    if len(selection.deliveries) == 1 and not await queries.delivery_status(
        conn, access.project_id, selection.deliveries[0]
    ):
        raise no_such("delivery")
    if len(selection.events) == 1 and not await queries.is_event(
        conn, access.project_id, selection.events[0]
    ):
        raise no_such("event")


async def check_plan(conn: "Connection", access: Access, plan: Plan) -> None:
    """Raises Problem 409 where nothing can be sent to who is meant, or the one that is named cannot be sent now."""
    target = None if plan.target is None else plan.prospects.get(plan.target)
    if target is not None and not target.takes:
        raise Problem(
            CONFLICT,
            f"The subscription {target.name!r} is {target.state}: nothing is sent to its sink. Make it active first.",
        )
    if plan.totals:
        return
    selection = plan.selection
    if plan.count.totals and plan.draft.kind != "cancel":
        states = {found.state for found in plan.prospects.values()}
        raise Problem(
            CONFLICT,
            f"Nothing can be delivered: the subscription is {' or '.join(sorted(states))}. Send it to another one with `to`.",
        )
    if len(selection.deliveries) == 1:
        status = await queries.delivery_status(conn, access.project_id, selection.deliveries[0])
        words = "cancelled" if plan.draft.kind == "cancel" else "delivered again"
        raise Problem(CONFLICT, f"The delivery is {status}, so it cannot be {words} now.")


async def _subscription(conn: "Connection", access: Access, wanted: str) -> "Record":
    """The subscription of that id or name. Raises Problem 404."""
    identity = read_uuid(wanted)
    row = None if identity is None else await queries.subscription(conn, access.project_id, identity)
    return there(row or await queries.subscription_named(conn, access.project_id, wanted), "subscription")


async def _meant(conn: "Connection", access: Access, wanted: str) -> UUID:
    """The id of a subscription by its id or name; by its id, it may be deleted since. Raises Problem 404."""
    identity = read_uuid(wanted)
    if identity is not None and await queries.was_there(conn, access.project_id, identity):
        return identity
    found: UUID = (await _subscription(conn, access, wanted))["id"]
    return found
