"""Why an event goes, or does not go, to each subscription."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore import queries
from functions.explore.answer import stored_event
from functions.explore.schemas import ExplainItem, ExplainList
from functions.explore.search import around, received_at
from functions.explore.service import find_event
from shared.auth.access import Access
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Attributes

_WHEN = "%Y-%m-%d %H:%M:%S UTC"


async def explain(resources: Resources, access: Access, uid: str) -> ExplainList:
    """The verdict of every subscription of the project, as it is now. Raises Problem 404."""
    async with (await resources.pg()).acquire() as conn:
        row = await find_event(conn, access, uid)
        low, high = around(row["uid"])
        found = await queries.deliveries_of_event(conn, access.project_id, row["uid"], low, high)
        subscriptions = await queries.subscriptions(conn, access.project_id)
    deliveries = {delivery["subscription_id"]: delivery["id"] for delivery in found}
    attributes = stored_event(row).attributes()
    received = received_at(row["uid"])
    return ExplainList(items=[_item(s, attributes, received, deliveries.get(s["id"])) for s in subscriptions])


def _item(
    subscription: "Record", attributes: "Attributes", received: datetime, delivery: UUID | None
) -> ExplainItem:
    from shared.core.filters import compile_filters

    verdict = compile_filters(subscription["filters"]).explain(attributes)
    detail = verdict.detail
    if verdict.matched and delivery is None:
        detail = why_not_delivered(
            subscription["state"], subscription["created_at"], subscription["updated_at"], received
        )
    return ExplainItem(
        subscription=subscription["id"],
        subscription_name=subscription["name"],
        state=subscription["state"],
        matched=verdict.matched,
        clause=verdict.clause,
        detail=detail,
        delivery=delivery,
    )


def why_not_delivered(
    state: str, created_at: datetime, updated_at: datetime, received: datetime
) -> str | None:
    """What keeps an event that matches from having a delivery; None when it may just not have one yet."""
    if created_at > received:
        return f"the subscription was made after this event was received, at {created_at.strftime(_WHEN)}"
    if state == "disabled":
        return "the subscription is disabled: events pass it by"
    if updated_at > received:
        return f"the subscription was changed after this event was received, at {updated_at.strftime(_WHEN)}"
    if state == "paused":
        return "the subscription is paused: the event waits until it is active again"
    return None
