"""An event's whole story in one answer, and two events side by side."""

import json
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from functions.explore import queries
from functions.explore.answer import event_body
from functions.explore.explain import verdicts
from functions.explore.search import Search, around, key_range, received_at
from functions.explore.service import ONE_MOMENT, Explorer, deliveries_of, find_event
from functions.explore.story.queries import intake, last_of_type, neighbours, replays
from functions.explore.story.related import related
from functions.explore.story.schemas import (
    ComparisonBody,
    DifferenceBody,
    IntakeBody,
    ReplayedBody,
    StoryBody,
)
from functions.explore.story.sender import sender_of
from shared.auth.access import Access
from shared.core.differences import differences
from shared.core.pointers import MISSING
from shared.db.events import stored_event

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.db.project_pool import ProjectPool

MOST_DIFFERENCES = 1_000
WEEK = timedelta(days=7)
"""How far away the events before and after one are looked for."""


class Stories:
    """The use cases, on the stores of one process."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer

    async def story(self, access: Access, uid: str, *, now: bool) -> StoryBody:
        """All of one event; its subscriptions as they are `now`, or as they were when it came. Raises Problem 404."""
        return await self._explorer.ask(access, partial(_story, access, uid, now))

    async def compare(self, access: Access, uid: str, other: str | None) -> ComparisonBody:
        """What the event has otherwise than `other`, or than the last of its type before it. Raises Problem 404."""
        left, right = await self._explorer.ask(access, partial(_both, access, uid, other))
        if left is None:
            return ComparisonBody(left=None, right=right["uid"], items=[], complete=True)
        found = list(islice(differences(_document(left), _document(right)), MOST_DIFFERENCES + 1))
        return ComparisonBody(
            left=left["uid"],
            right=right["uid"],
            items=[
                DifferenceBody(
                    pointer=one.pointer,
                    in_left=one.left is not MISSING,
                    in_right=one.right is not MISSING,
                    left=None if one.left is MISSING else one.left,
                    right=None if one.right is MISSING else one.right,
                )
                for one in found[:MOST_DIFFERENCES]
            ],
            complete=len(found) <= MOST_DIFFERENCES,
        )


async def _story(access: Access, uid: str, now: bool, pool: "ProjectPool") -> StoryBody:  # noqa: FBT001
    project_id = access.project_id
    async with pool.acquire() as conn, conn.transaction(**ONE_MOMENT):
        row = await find_event(conn, access, uid)
        found = row["uid"]
        low, high = around(found)
        outcomes = await queries.outcomes(conn, project_id, [found], [low], [high])
        rows, deliveries = await deliveries_of(conn, project_id, row)
        subscriptions = (
            await queries.subscriptions(conn, project_id)
            if now
            else await queries.subscriptions_then(conn, project_id, received_at(found))
        )
        noted = await intake(conn, project_id, found)
        sender = await sender_of(conn, access, row["producer"])
        ids = list({row["replay_id"] for row in rows if row["replay_id"] is not None})
        replayed = await replays(conn, project_id, ids) if ids else []
        others = await related(conn, project_id, row, deliveries)
        received = received_at(found)
        low, high = key_range(received - WEEK, received + WEEK)
        beside = await neighbours(conn, Search(project_id=project_id, low=low, high=high), found)
    body = event_body(row, outcomes.get(found), deliveries)
    return StoryBody.model_construct(
        **dict(body),
        sender=sender,
        intake=IntakeBody(
            duration_ms=None if noted["taken_us"] is None else noted["taken_us"] / 1000,
            commit_events=noted["commit_events"],
            schema_version=noted["schema_version"],
        ),
        subscriptions=await verdicts(row, subscriptions, rows),
        replays=[ReplayedBody(**dict(one)) for one in replayed],
        related=others,
        newer=beside["newer"],
        older=beside["older"],
    )


async def _both(
    access: Access, uid: str, other: str | None, pool: "ProjectPool"
) -> "tuple[Record | None, Record]":
    async with pool.acquire() as conn, conn.transaction(**ONE_MOMENT):
        right = await find_event(conn, access, uid)
        if other is not None:
            return await find_event(conn, access, other), right
        low, _ = key_range(received_at(right["uid"]) - WEEK, None)
        search = Search(project_id=access.project_id, low=low, high=right["uid"])
        before = await last_of_type(conn, search, right["type"])
        return (None if before is None else await find_event(conn, access, str(before))), right


def _document(row: "Record") -> Any:
    """The event in the JSON format as values."""
    from shared.core.cloudevents import to_json

    written = to_json(stored_event(row))
    try:
        return msgspec.json.decode(written)
    except msgspec.DecodeError:
        return json.loads(written)  # numbers beyond what the quicker decoder knows
