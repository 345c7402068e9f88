"""The HTTP surface of overview and flow."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from functions.explore.stats.flow import flow
from functions.explore.stats.freshness import Freshness
from functions.explore.stats.overview import overview
from functions.explore.stats.schemas import FlowBody, OverviewBody
from shared.auth.access import Access
from shared.auth.dependency import requires
from shared.core.problems import FORBIDDEN, Problem
from shared.runtime.listing import Instant
from shared.runtime.resources import Resources

EVENTS_READ = "events:read"

Reader = Annotated[Access, Depends(requires("deliveries:read"))]
Since = Annotated[
    Instant | None,
    Query(description="Received at or after this instant, by the minute; an hour before the end without."),
]
Until = Annotated[
    Instant | None, Query(description="Received before this instant, by the minute; now without.")
]


def stats(resources: Resources, freshness: Freshness) -> APIRouter:
    """The routes that answer from counts."""
    router = APIRouter(prefix="/v1/projects/{project}", tags=["explore"])

    @router.get("/overview")
    async def get_overview(access: Reader, since: Since = None, until: Until = None) -> OverviewBody:
        """How the project does: rates, latencies, backlog, types, the worst sinks."""
        _check(access)
        await freshness.ensure(access.project_id)
        return await overview(await resources.reading_of(access.project_id), access.project_id, since, until)

    @router.get("/flow")
    async def get_flow(access: Reader, since: Since = None, until: Until = None) -> FlowBody:
        """Which way events take, from producers through types and subscriptions to sinks."""
        _check(access)
        await freshness.ensure(access.project_id)
        return await flow(await resources.reading_of(access.project_id), access.project_id, since, until)

    return router


def _check(access: Access) -> None:
    if EVENTS_READ not in access.permissions:
        raise Problem(FORBIDDEN, f"What is counted here needs the permission {EVENTS_READ} as well.")
