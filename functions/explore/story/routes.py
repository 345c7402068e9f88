"""The HTTP surface of stories and comparisons."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from functions.explore.answer import respond
from functions.explore.asked import DELIVERIES_READ, EventReader
from functions.explore.service import Explorer
from functions.explore.story.schemas import ComparisonBody, StoryBody
from functions.explore.story.service import Stories
from shared.core.problems import FORBIDDEN, Problem


def add_story(router: APIRouter, explorer: Explorer) -> None:
    """Add the routes below an event."""
    stories = Stories(explorer)

    @router.get("/events/{uid}/story", response_model=StoryBody)
    async def get_story(
        uid: str,
        access: EventReader,
        *,
        subscriptions: Annotated[
            Literal["then", "now"],
            Query(
                description="As they were when the event was received, those deleted since included, or as they are."
            ),
        ] = "then",
    ) -> Response:
        """An event's whole story: who sent it, every subscription with its verdict, every attempt, what it caused."""
        if DELIVERIES_READ not in access.permissions:
            raise Problem(FORBIDDEN, f"An event's story needs the permission {DELIVERIES_READ} as well.")
        return respond(await stories.story(access, uid, now=subscriptions == "now"))

    @router.get("/events/{uid}/compare")
    async def compare_events(
        uid: str,
        access: EventReader,
        other: Annotated[
            str | None,
            Query(
                alias="with",
                max_length=64,
                description="The uid of the other event; the last of the same type before it unless given.",
            ),
        ] = None,
    ) -> ComparisonBody:
        """What an event has otherwise than another one, by JSON pointer."""
        return await stories.compare(access, uid, other)
