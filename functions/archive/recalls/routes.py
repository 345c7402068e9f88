"""The HTTP surface of recalls."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.archive.recalls import service
from functions.archive.recalls.schemas import RecallBody, RecallList, RecallRequest
from functions.archive.stored import Stored
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Reader = Annotated[Access, Depends(requires("events:read"))]
Writer = Annotated[Access, Depends(requires("archive:recall"))]

_TRIED: dict[int | str, dict[str, Any]] = {200: {"model": RecallBody, "description": "What a dry run found."}}


def recalls(resources: Resources, stored: Stored) -> APIRouter:
    """The routes below `/v1/projects/{project}/archive/recalls`."""
    router = APIRouter(prefix="/v1/projects/{project}/archive/recalls", tags=["archive"])

    @router.get("")
    async def list_recalls(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> RecallList:
        """What was brought back from the archive, newest first."""
        rows, following = await service.list_recalls(resources, access, limit=limit, cursor=cursor)
        return RecallList(items=[RecallBody.model_validate(row) for row in rows], next=following)

    @router.post("", status_code=201, responses=_TRIED, openapi_extra=problems(409))
    async def create_recall(
        body: RecallRequest, access: Writer, by: Author, response: Response
    ) -> RecallBody:
        """Bring archived events back, as they were. Nothing is delivered by that: search them, replay them.

        A dry run answers 200, and how many events there are at most.
        """
        if body.dry_run:
            by.is_settled = True
            response.status_code = 200
            return RecallBody.model_validate(await service.dry_run(resources, stored, access, body))
        row = await service.create_recall(resources, stored, access, by, body)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/archive/recalls/{row['id']}"
        return RecallBody.model_validate(row)

    @router.get("/{recall}")
    async def get_recall(recall: str, access: Reader) -> RecallBody:
        """One recall, and how far it has come."""
        return RecallBody.model_validate(await service.get_recall(resources, access, recall))

    @router.delete("/{recall}", status_code=204, openapi_extra=problems(409))
    async def end_recall(recall: str, access: Writer, by: Author) -> None:
        """Stop a recall. What it has brought leaves the database again, and stays in the archive."""
        await service.end_recall(resources, access, by, recall)

    return router
