"""The HTTP surface of events and deliveries."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import AfterValidator, Field
from starlette.responses import Response

from functions.explore.answer import respond
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
from functions.explore.search import Search, key_range, read_facets
from functions.explore.service import Explorer
from functions.explore.stats.routes import stats
from shared.auth.access import Access
from shared.auth.dependency import requires
from shared.core.problems import FORBIDDEN, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Cursor, Instant, Limit, read_cursor, storable
from shared.runtime.resources import Resources

DELIVERIES_READ = "deliveries:read"
MAX_VALUE = 2048

EventReader = Annotated[Access, Depends(requires("events:read"))]
DeliveryReader = Annotated[Access, Depends(requires(DELIVERIES_READ))]


Exact = Annotated[str, Query(max_length=MAX_VALUE), AfterValidator(storable)]
Producer = Annotated[
    Exact, Query(description="Who sent them: `source:NAME`, `producer:NAME`, `key:ID` or `user:ID`.")
]
Text = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="Text in type, source, subject, id or payload, in any case. Looks through the newest "
        "10,000 events that fit the rest; `searched` says how far, `next` goes on.",
    ),
    AfterValidator(storable),
]
Facet = Annotated[
    list[Annotated[str, Field(max_length=300), AfterValidator(storable)]],
    Query(
        max_length=10,
        description="`name:value` of a facet that the type declares; all must hold. A number or a boolean is "
        "written as in JSON.",
    ),
]
SchemaFault = Annotated[
    bool | None,
    Query(alias="schemaFault", description="Only those that their schema warned of, or only the others."),
]
Since = Annotated[Instant | None, Query(description="Received at or after this instant.")]
Until = Annotated[Instant | None, Query(description="Received before this instant.")]


def create(resources: Resources) -> FastAPI:
    """The application of `explore`."""
    return endpoint_app(FUNCTION, resources, _router(resources), stats(resources))


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}", tags=["explore"])
    explorer = Explorer(resources)

    @router.get("/events", response_model=EventList)
    async def list_events(
        *,
        access: EventReader,
        type: Exact | None = None,  # noqa: A002 CloudEvents' word
        source: Exact | None = None,
        id: Exact | None = None,  # noqa: A002 CloudEvents' word
        subject: Exact | None = None,
        producer: Producer | None = None,
        facet: Facet = [],  # noqa: B006 FastAPI copies it
        schema_fault: SchemaFault = None,
        since: Since = None,
        until: Until = None,
        q: Text | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Stored events, newest first. `type`, `source`, `id`, `subject`, `producer` and facets are exact."""
        low, high = key_range(since, until)
        search = Search(
            project_id=access.project_id,
            low=low,
            high=high,
            type=type,
            source=source,
            id=id,
            subject=subject,
            producer=producer,
            facets=read_facets(facet),
            faulty=schema_fault,
        )
        return respond(await explorer.events(search.before(read_cursor(cursor)), q, limit))

    @router.get("/events/{uid}", response_model=EventBody)
    async def get_event(uid: str, access: EventReader) -> Response:
        """A stored event with all of its deliveries and their attempts."""
        if DELIVERIES_READ not in access.permissions:
            raise Problem(FORBIDDEN, f"An event's story needs the permission {DELIVERIES_READ} as well.")
        return respond(await explorer.event(access, uid))

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
        *,
        access: DeliveryReader,
        event: Annotated[UUID | None, Query(description="The uid of an event.")] = None,
        subscription: UUID | None = None,
        status: Status | None = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Deliveries, newest event first; `since` and `until` are of the event's receipt."""
        low, high = key_range(since, until)
        search = Search(project_id=access.project_id, low=low, high=high, subscription=subscription)
        search = search.of_event(event).before(read_cursor(cursor))
        return respond(await explorer.deliveries(search, status, limit))

    @router.get("/deliveries/{id}", response_model=DeliveryBody)
    async def get_delivery(id: str, access: DeliveryReader) -> Response:  # noqa: A002 the contract's word
        """A delivery with its attempts."""
        return respond(await explorer.delivery(access, id))

    return router
