"""Why an event goes, or does not go, to each subscription."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore import queries
from functions.explore.schemas import ExplainItem, ExplainList
from functions.explore.search import around, received_at
from functions.explore.service import find_event
from shared.auth.access import Access
from shared.core.problems import INVALID, Fault, Problem
from shared.core.things import there
from shared.db.events import stored_event, unreadable
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Attributes, EventData

TURN = 50
"""After so many subscriptions others have their turn."""

_WHEN = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Question:
    """Which subscriptions are asked: all as they are now, all as they were `then`, or one, at a version or its last."""

    subscription: UUID | None = None
    version: int | None = None
    then: bool = False


async def explain(resources: Resources, access: Access, uid: str, question: Question) -> ExplainList:
    """The verdicts. Raises Problem 404 for an event, a subscription or a version that is not there, and 422."""
    _check(question)
    async with (await resources.of(access.project_id)).acquire() as conn:
        row = await find_event(conn, access, uid)
        low, high = around(row["uid"])
        found = await queries.deliveries_of_event(conn, access.project_id, row["uid"], low, high)
        if question.subscription is not None:
            said = await queries.subscription_at(
                conn, access.project_id, question.subscription, question.version
            )
            subscriptions = [
                there(said, "subscription" if question.version is None else "version of a subscription")
            ]
        elif question.then:
            subscriptions = await queries.subscriptions_then(conn, access.project_id, received_at(row["uid"]))
        else:
            subscriptions = await queries.subscriptions(conn, access.project_id)
    return ExplainList(items=await verdicts(row, subscriptions, found))


async def verdicts(
    row: "Record", subscriptions: "Sequence[Record]", found: "Sequence[Record]"
) -> list[ExplainItem]:
    """What each of `subscriptions` says of the event in `row`, whose deliveries are `found`."""
    from shared.core.filters import data_of

    # The first that there was comes last: what a replay made anew came of it.
    again = sorted(found, key=lambda delivery: delivery["replay_id"] is None)
    deliveries = {delivery["subscription_id"]: delivery["id"] for delivery in again}
    event = stored_event(row)
    received = received_at(row["uid"])
    attributes, data = event.attributes(), data_of(event)
    fault = unreadable(row)
    items = []
    for index, subscription in enumerate(subscriptions, 1):
        delivery = deliveries.get(subscription["id"])
        items.append(_item(subscription, attributes, data, received, delivery=delivery, fault=fault))
        if not index % TURN:
            await asyncio.sleep(0)
    return items


def _check(question: Question) -> None:
    faults = []
    if question.version is not None and question.subscription is None:
        faults.append(Fault("/query/version", "needs a subscription"))
    if question.then and question.subscription is not None:
        faults.append(Fault("/query/then", "is of all subscriptions: name none, or a version"))
    if faults:
        raise Problem(INVALID, "The request has values that cannot be used.", errors=faults)


def _item(
    subscription: "Record",
    attributes: "Attributes",
    data: "EventData",
    received: datetime,
    *,
    delivery: UUID | None,
    fault: str | None,
) -> ExplainItem:
    from shared.core.filters import InvalidFilter, Verdict, compile_filters

    try:
        # As dispatch does it: an event that it cannot read passes by.
        verdict = (
            Verdict(matched=False, detail=fault, error=fault)
            if fault is not None
            else compile_filters(subscription["filters"]).explain(attributes, data)
        )
    except InvalidFilter as error:
        # As dispatch does it: the event is not lost quietly, its delivery ends dead.
        text = f"the subscription cannot be used: {error}"
        verdict = Verdict(matched=True, detail=text, error=text)
    detail = verdict.detail
    if verdict.matched and delivery is None and detail is None:
        detail = why_not_delivered(
            subscription["state"], subscription["created_at"], subscription["updated_at"], received
        )
    return ExplainItem(
        subscription=subscription["id"],
        subscription_name=subscription["name"],
        version=subscription["version"],
        state=subscription["state"],
        matched=verdict.matched,
        clause=verdict.clause,
        detail=detail,
        error=verdict.error,
        delivery=delivery,
    )


def why_not_delivered(
    state: str, created_at: datetime, updated_at: datetime, received: datetime
) -> str | None:
    """What keeps an event that matches from having a delivery; None when it may just not have one yet."""
    if created_at > received:
        return f"the subscription was made after this event was received, at {created_at.strftime(_WHEN)}"
    if state == "deleted":
        return "the subscription is deleted"
    if state == "disabled":
        return "the subscription is disabled: events pass it by"
    if updated_at > received:
        return f"the subscription was changed after this event was received, at {updated_at.strftime(_WHEN)}"
    if state == "paused":
        return "the subscription is paused: the event waits until it is active again"
    return None
