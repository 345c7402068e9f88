"""The HTTP surface of replays."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query
from starlette.responses import Response

from functions.replays.function import FUNCTION
from functions.replays.schemas import (
    CancellationRequest,
    DryRunBody,
    ReplayBody,
    ReplayList,
    ReplayPatch,
    ReplayRequest,
    State,
)
from functions.replays.service import Replays
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Reader = Annotated[Access, Depends(requires("deliveries:read"))]
Retrier = Annotated[Access, Depends(requires("deliveries:retry"))]
Canceller = Annotated[Access, Depends(requires("deliveries:cancel"))]

_STARTED: dict[int | str, dict[str, Any]] = {
    200: {"model": DryRunBody, "description": "What it would come to, for a dry run."},
    202: {
        "description": "It has started, and goes on by itself.",
        "headers": {
            "Location": {
                "description": "Where to look how far it is.",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        },
    },
}


def create(resources: Resources) -> FastAPI:
    """The application of `replays`."""
    return endpoint_app(FUNCTION, resources, _router(resources))


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}", tags=["replays"])
    service = Replays(resources)

    @router.post(
        "/replays",
        status_code=202,
        response_model=ReplayBody | DryRunBody,
        responses=_STARTED,
        openapi_extra=problems(409),
    )
    async def start_replay(
        body: ReplayRequest, access: Retrier, by: Author, response: Response
    ) -> ReplayBody | DryRunBody:
        """Deliver again: one, many, or all that match. With `dryRun` count first, and say what to expect.

        The selection is frozen when it starts. Below the live traffic of the same sinks it goes on at `ratePerSecond`. To an
        address that is no subscription's it needs `subscriptions:write` as well.
        """
        return _answer(access, await service.start(access, by, body), response)

    @router.post(
        "/cancellations", status_code=202, response_model=ReplayBody | DryRunBody, responses=_STARTED
    )
    async def cancel_deliveries(
        body: CancellationRequest, access: Canceller, by: Author, response: Response
    ) -> ReplayBody | DryRunBody:
        """Cancel deliveries that wait: one, many, or all that match. With `dryRun` count first.

        It is a job as replays are, and listed with them. What is under way to its sink is not called back.
        """
        return _answer(access, await service.cancel_deliveries(access, by, body), response)

    @router.get("/replays")
    async def list_replays(
        access: Reader,
        state: Annotated[State | None, Query(description="Only those in this state.")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ReplayList:
        """The project's replays and cancellations, newest first."""
        return await service.page(access, state, cursor, limit)

    @router.get("/replays/{id}")
    async def get_replay(id: str, access: Reader) -> ReplayBody:  # noqa: A002 the contract's word
        """One replay, and how far it has come at each sink."""
        return await service.get(access, id)

    @router.patch("/replays/{id}", openapi_extra=problems(409))
    async def change_replay(id: str, body: ReplayPatch, access: Retrier, by: Author) -> ReplayBody:  # noqa: A002
        """Change the rate of a replay that has not ended."""
        return await service.change_rate(access, by, id, body.rate_per_second)

    @router.post("/replays/{id}/pause", openapi_extra=problems(409))
    async def pause_replay(id: str, access: Retrier, by: Author) -> ReplayBody:  # noqa: A002
        """Open nothing more until it is resumed. The few that were opened already are still delivered."""
        return await service.pause(access, by, id)

    @router.post("/replays/{id}/resume", openapi_extra=problems(409))
    async def resume_replay(id: str, access: Retrier, by: Author) -> ReplayBody:  # noqa: A002
        """Go on with a replay that was paused, or had stopped by itself."""
        return await service.resume(access, by, id)

    @router.post("/replays/{id}/cancel", openapi_extra=problems(409))
    async def cancel_replay(id: str, access: Retrier, by: Author) -> ReplayBody:  # noqa: A002
        """End it for good. What it opened and was not delivered yet is what it was before: dead, or cancelled."""
        return await service.cancel(access, by, id)

    return router


def _answer(access: Access, done: ReplayBody | DryRunBody, response: Response) -> ReplayBody | DryRunBody:
    if isinstance(done, DryRunBody):
        response.status_code = 200
    else:
        response.headers["Location"] = f"/v1/projects/{access.project_name}/replays/{done.id}"
    return done
