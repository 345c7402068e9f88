"""The HTTP surface of counts. They take what lists take, so that every number leads to its rows."""

from typing import Annotated

from fastapi import APIRouter, Query

from functions.explore.asked import DeliveriesAsked, EventsAsked
from functions.explore.counts import service
from functions.explore.counts.causes import causes
from functions.explore.counts.schemas import CauseList, FacetCounts, HistogramBody
from functions.explore.schemas import Status
from functions.explore.stats.freshness import Freshness
from shared.runtime.resources import Resources

MAX_BARS = 240

Most = Annotated[
    int,
    Query(
        alias="bars", ge=1, le=MAX_BARS, description="How many bars at most: of a width that people think in."
    ),
]


def counts(resources: Resources, freshness: Freshness) -> APIRouter:
    """The routes of counts, which stand before those of one event."""
    router = APIRouter(prefix="/v1/projects/{project}", tags=["explore"])

    @router.get("/events/histogram")
    async def event_histogram(search: EventsAsked, most: Most = 60) -> HistogramBody:
        """How many events were received when, and how they stand. Takes what the list takes.

        Without `since` from the first event that is kept, without `until` up to now. What takes too long to count is
        counted from the newest back; `searched` says how far.
        """
        await freshness.ensure(search.project_id)
        return await service.histogram(resources, search, most)

    @router.get("/events/facets")
    async def event_facets(search: EventsAsked) -> FacetCounts:
        """By which outcomes, types, sources and facets the list can be narrowed, and to how many. Takes what it takes.

        What the list is narrowed to by one of them does not narrow the counts of that one.
        """
        return await service.facets(resources, search)

    @router.get("/deliveries/causes")
    async def delivery_causes(search: DeliveriesAsked, status: Status | None = None) -> CauseList:
        """Why deliveries fail: those that the list finds, by subscription and by what the last attempt got.

        Without `status` those that are dead or being retried. At most the newest 10,000 of a status are counted;
        `searched` says back to when.
        """
        return await causes(resources, search, status)

    return router
