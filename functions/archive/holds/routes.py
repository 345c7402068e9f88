"""The HTTP surface of legal holds."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.archive.holds import service
from functions.archive.holds.schemas import HoldBody, HoldList, HoldRequest
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Reader = Annotated[Access, Depends(requires("projects:read"))]
Writer = Annotated[Access, Depends(requires("holds:write"))]


def holds(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/holds`."""
    router = APIRouter(prefix="/v1/projects/{project}/holds", tags=["archive"])

    @router.get("")
    async def list_holds(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> HoldList:
        """What must not be destroyed, and what had not to be, newest first."""
        rows, following = await service.list_holds(resources, access, limit=limit, cursor=cursor)
        return HoldList(items=[HoldBody.model_validate(dict(row)) for row in rows], next=following)

    @router.post("", status_code=201)
    async def create_hold(body: HoldRequest, access: Writer, by: Author, response: Response) -> HoldBody:
        """Put a hold. What it means leaves the database for the archive alone, and that for nowhere."""
        row = await service.create_hold(resources, access, by, body)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/holds/{row['id']}"
        return HoldBody.model_validate(dict(row))

    @router.get("/{hold}")
    async def get_hold(hold: str, access: Reader) -> HoldBody:
        """One hold, lifted or not."""
        return HoldBody.model_validate(dict(await service.get_hold(resources, access, hold)))

    @router.delete("/{hold}", status_code=204, openapi_extra=problems(409))
    async def lift_hold(hold: str, access: Writer, by: Author) -> None:
        """Lift a hold. It stays in the list, with who lifted it."""
        await service.lift_hold(resources, access, by, hold)

    return router
