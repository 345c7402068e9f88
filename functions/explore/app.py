"""The HTTP surface of events and deliveries."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query
from starlette.responses import Response

from functions.explore.answer import respond
from functions.explore.asked import DELIVERIES_READ, DeliveriesAsked, DeliveryReader, EventReader, EventsAsked
from functions.explore.counts.routes import counts
from functions.explore.explain import Question, explain
from functions.explore.function import FUNCTION
from functions.explore.schemas import (
    DeliveryBody,
    DeliveryList,
    EventBody,
    EventList,
    ExplainList,
    Status,
)
from functions.explore.searches.routes import searches
from functions.explore.service import Explorer
from functions.explore.stats.freshness import Freshness
from functions.explore.stats.routes import stats
from functions.explore.story.routes import add_story
from shared.core.problems import FORBIDDEN, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Cursor, Limit, read_cursor
from shared.runtime.resources import Resources


def create(resources: Resources) -> FastAPI:
    """The application of `explore`."""
    freshness = Freshness(resources)
    return endpoint_app(
        FUNCTION,
        resources,
        # What has a name of its own stands before what takes any uid.
        counts(resources, freshness),
        _router(resources),
        searches(resources),
        stats(resources, freshness),
    )


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}", tags=["explore"])
    explorer = Explorer(resources)

    @router.get("/events", response_model=EventList)
    async def list_events(search: EventsAsked, limit: Limit = 50, cursor: Cursor = None) -> Response:
        """Stored events, newest first, by every attribute, facet, outcome and delivery."""
        return respond(await explorer.events(search.before(read_cursor(cursor)), limit))

    @router.get("/events/{uid}", response_model=EventBody)
    async def get_event(uid: str, access: EventReader) -> Response:
        """A stored event with all of its deliveries and their attempts."""
        if DELIVERIES_READ not in access.permissions:
            raise Problem(FORBIDDEN, f"An event's story needs the permission {DELIVERIES_READ} as well.")
        return respond(await explorer.event(access, uid))

    add_story(router, explorer)

    @router.get("/events/{uid}/explain")
    async def explain_event(
        uid: str,
        access: EventReader,
        *,
        subscription: Annotated[
            UUID | None, Query(description="Ask this one alone; it may be deleted since.")
        ] = None,
        version: Annotated[
            int | None,
            Query(ge=1, le=2**31 - 1, description="What that subscription said at this version of it."),
        ] = None,
        then: Annotated[
            bool, Query(description="As it was when the event was received, those deleted since included.")
        ] = False,
    ) -> ExplainList:
        """Which subscriptions the event matches, and for the others which clause it fails with which value."""
        return await explain(resources, access, uid, Question(subscription, version, then))

    @router.get("/deliveries", response_model=DeliveryList)
    async def list_deliveries(
        search: DeliveriesAsked, status: Status | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        """Deliveries, newest event first; `since` and `until` are of the event's receipt."""
        return respond(await explorer.deliveries(search.before(read_cursor(cursor)), status, limit))

    @router.get("/deliveries/{id}", response_model=DeliveryBody)
    async def get_delivery(id: str, access: DeliveryReader) -> Response:  # noqa: A002 the contract's word
        """A delivery with its attempts."""
        return respond(await explorer.delivery(access, id))

    return router
