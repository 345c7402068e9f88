"""The HTTP surface of the archive: its days, and the events in it."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator
from starlette.responses import Response

from functions.archive.days import service
from functions.archive.days.schemas import (
    ArchivedEvent,
    ArchivedEventList,
    DayBody,
    DayList,
    Verification,
    WholeDayBody,
)
from functions.archive.retention.queries import waits_of
from functions.archive.retention.schemas import WaitBody
from functions.archive.stored import Stored
from shared.archive.wanted import Wanted, between
from shared.auth.access import Access
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Instant, Limit, TextCursor, read_cursor, storable
from shared.runtime.resources import Resources
from shared.runtime.schema import Schema

Reader = Annotated[Access, Depends(requires("events:read"))]
Exact = Annotated[str, Query(max_length=2048), AfterValidator(storable)]
Since = Annotated[Instant | None, Query(description="Received at or after this instant.")]
Until = Annotated[Instant | None, Query(description="Received before this instant.")]


def days(resources: Resources, stored: Stored) -> APIRouter:
    """The routes of the archive that only read."""
    router = APIRouter(prefix="/v1/projects/{project}/archive", tags=["archive"])

    @router.get("/days")
    async def list_archived_days(
        access: Reader,
        since: Annotated[date | None, Query(description="This day and later ones.")] = None,
        until: Annotated[date | None, Query(description="This day and earlier ones.")] = None,
        limit: Limit = 50,
        cursor: TextCursor = None,
    ) -> DayList:
        """The days (UTC) that are whole in the archive, newest first."""
        rows, following = await service.list_days(
            resources, access, since=since, until=until, limit=limit, cursor=cursor
        )
        waits = await waits_of(await resources.of(access.project_id), access.project_id)
        return DayList(
            items=[DayBody.model_validate(dict(row)) for row in rows],
            next=following,
            waiting=[WaitBody.model_validate(dict(row)) for row in waits],
        )

    @router.get("/days/{day}")
    async def get_archived_day(day: date, access: Reader) -> WholeDayBody:
        """A day with its objects and their checksums."""
        return await service.get_day(resources, access, day)

    @router.get("/days/{day}/verification")
    async def verify_archived_day(day: date, access: Reader, cursor: TextCursor = None) -> Verification:
        """Read a day's objects as a whole and compare: sizes, checksums, and every event. `next` goes on."""
        return await service.verify_day(resources, stored, access, day, cursor)

    @router.get("/events", response_model=ArchivedEventList)
    async def list_archived_events(
        *,
        access: Reader,
        type: Exact | None = None,  # noqa: A002 CloudEvents' word
        source: Exact | None = None,
        id: Exact | None = None,  # noqa: A002 CloudEvents' word
        subject: Exact | None = None,
        since: Since = None,
        until: Until = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """Archived events, newest first. Looks for some seconds; `searched` says how far, `next` goes on."""
        low, high = between(since, until)
        wanted = Wanted(low=low, high=high, type=type, source=source, id=id, subject=subject)
        return _respond(
            await service.list_events(resources, stored, access, wanted.before(read_cursor(cursor)), limit)
        )

    @router.get("/events/{uid}", response_model=ArchivedEvent)
    async def get_archived_event(uid: str, access: Reader) -> Response:
        """An archived event, with what had become of it."""
        return _respond(await service.get_event(resources, stored, access, uid))

    return router


def _respond(body: Schema) -> Response:
    """`body` as JSON; the CloudEvents in it keep their bytes."""
    document = body.model_dump(by_alias=True, warnings=False)
    return Response(msgspec.json.encode(document), media_type="application/json")
