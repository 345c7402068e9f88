"""The HTTP surface of the tail."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from pydantic import AfterValidator, Field
from starlette.responses import Response, StreamingResponse

from functions.live.function import FUNCTION
from functions.live.response import HEADERS, EventStream
from functions.live.schemas import OutcomeItem, OutcomeList
from functions.live.service import Tail, outcomes, read_start
from functions.live.settings import LiveSettings
from functions.live.stream import Stream
from functions.live.wanted import Wanted, read_facets
from shared.auth.access import Access
from shared.auth.authority import authorize
from shared.auth.client import address_in
from shared.auth.dependency import requires
from shared.core.problems import NOT_STREAMED, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Instant, storable
from shared.runtime.resources import Resources

EVENTS_READ = "events:read"
MAX_VALUE = 2048
MAX_FILTER = 10_000
MAX_UIDS = 200
MAX_RATE = 10_000

Reader = Annotated[Access, Depends(requires(EVENTS_READ))]
Exact = Annotated[str, Query(max_length=MAX_VALUE), AfterValidator(storable)]
Facet = Annotated[
    list[Annotated[str, Field(max_length=300), AfterValidator(storable)]],
    Query(max_length=10, description="`name:value` of a facet that the type declares; all must hold."),
]
Language = Annotated[
    str | None,
    Query(
        min_length=1, max_length=MAX_FILTER, description="A filter of that dialect, as subscriptions have it."
    ),
]

_MESSAGE = {
    "type": "object",
    "description": "One message, as its fields.",
    "properties": {
        "id": {"type": "string", "description": "The place after it, for `Last-Event-ID`."},
        "event": {"enum": ["dropped", "live", "waiting", "end"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events. A message without a name is a stored event, its `id` the place to go on "
        "from. `dropped` tells how many were left out there and why, `live` that all that there was is sent, `waiting` "
        "that the database is away, `end` why the stream ends: come back with `Last-Event-ID`.",
        "content": {"text/event-stream": {"schema": _MESSAGE}},
    },
    501: {"$ref": "#/components/responses/Problem501"},
}


def create(resources: Resources) -> FastAPI:
    """The application of `live`."""
    settings = LiveSettings()
    stream = Stream(resources, settings)
    resources.at_close(stream.close)
    app = endpoint_app(FUNCTION, resources, _router(resources, stream, settings))
    app.state.stream = stream
    return app


def _router(resources: Resources, stream: Stream, settings: LiveSettings) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}/live", tags=["live"])

    @router.get("/events", response_class=StreamingResponse, responses=_ANSWER)
    async def tail_events(
        *,
        request: Request,
        access: Reader,
        type: Exact | None = None,  # noqa: A002 CloudEvents' word
        source: Exact | None = None,
        id: Exact | None = None,  # noqa: A002 CloudEvents' word
        subject: Exact | None = None,
        producer: Exact | None = None,
        facet: Facet = [],  # noqa: B006 FastAPI copies it
        schema_fault: Annotated[bool | None, Query(alias="schemaFault")] = None,
        sql: Language = None,
        cel: Language = None,
        since: Annotated[
            Instant | None,
            Query(description="Begin with what was received then, at most 24 hours ago; now without it."),
        ] = None,
        rate_per_second: Annotated[
            int | None,
            Query(
                alias="ratePerSecond",
                ge=1,
                le=MAX_RATE,
                description="Of those received in one second send so many at most, and tell how many were dropped.",
            ),
        ] = None,
        data_max_bytes: Annotated[
            int | None,
            Query(
                alias="dataMaxBytes",
                ge=0,
                description="Leave data out that is larger; `dataLeftOut` says so.",
            ),
        ] = None,
        last_event_id: Annotated[
            str | None,
            Header(
                alias="Last-Event-ID",
                max_length=100,
                description="Go on after this; `since` is nothing then.",
            ),
        ] = None,
    ) -> Response:
        """Events as they are stored, in the order of their commits. No gap and no duplicate after a reconnect."""
        if "aws.event" in request.scope:
            raise Problem(
                NOT_STREAMED,
                "Lambda gives an answer away as a whole, so nothing can be watched there. Ask GET …/events with "
                "`since` again and again, or run the function live where connections stay open.",
            )
        wanted = Wanted(
            type=type,
            source=source,
            id=id,
            subject=subject,
            producer=producer,
            facets=read_facets(facet),
            faulty=schema_fault,
            sql=sql,
            cel=cel,
        )
        tail = Tail(
            stream,
            resources,
            access.project_id,
            wanted,
            start=read_start(last_event_id, since),
            rate_per_second=rate_per_second,
            data_max_bytes=data_max_bytes,
            check=partial(
                authorize,
                resources,
                request.headers.get("authorization"),
                access.project_name,
                EVENTS_READ,
                partial(address_in, request),
            ),
            settings=settings,
        )
        await resources.stream()  # a database that is away is said at once
        leave = stream.take_seat(access.project_id)
        return EventStream(tail.pieces(), headers=HEADERS, at_end=leave)

    @router.get("/outcomes")
    async def get_outcomes(
        access: Reader,
        event: Annotated[list[UUID], Query(min_length=1, max_length=MAX_UIDS, description="Uids of events.")],
    ) -> OutcomeList:
        """How the deliveries of these events stand: for those that were just seen in the stream."""
        rows = await outcomes(resources, access.project_id, event)
        return OutcomeList(items=[OutcomeItem(**row) for row in rows])

    return router
