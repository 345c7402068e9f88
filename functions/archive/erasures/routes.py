"""The HTTP surface of erasures."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator
from starlette.responses import Response

from functions.archive.erasures import service
from functions.archive.erasures.schemas import ErasureBody, ErasureList, ErasureRequest
from functions.archive.stored import Stored
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit, storable
from shared.runtime.resources import Resources

# Whose data is being erased is told to those alone who may have it erased.
Eraser = Annotated[Access, Depends(requires("erasures:write"))]
Subject = Annotated[
    str,
    Query(max_length=2048, description="Of this subject alone; those that are done are found too."),
    AfterValidator(storable),
]
_TRIED: dict[int | str, dict[str, Any]] = {
    200: {"model": ErasureBody, "description": "What a dry run found."}
}


def erasures(resources: Resources, stored: Stored) -> APIRouter:
    """The routes below `/v1/projects/{project}/erasures`."""
    router = APIRouter(prefix="/v1/projects/{project}/erasures", tags=["archive"])

    @router.get("")
    async def list_erasures(
        access: Eraser, subject: Subject | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> ErasureList:
        """What was to be forgotten, newest first."""
        rows, following = await service.list_erasures(
            resources, access, subject=subject, limit=limit, cursor=cursor
        )
        return ErasureList(items=[ErasureBody.model_validate(dict(row)) for row in rows], next=following)

    @router.post("", status_code=201, responses=_TRIED)
    async def create_erasure(
        body: ErasureRequest, access: Eraser, by: Author, response: Response
    ) -> ErasureBody:
        """Erase all events of a subject, from the database and the archive, but for what is held. It cannot be undone.

        A dry run answers 200, and how many there are.
        """
        if body.dry_run:
            by.is_settled = True
            response.status_code = 200
            return ErasureBody.model_validate(await service.dry_run(resources, stored, access, body))
        row = await service.create_erasure(resources, access, by, body)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/erasures/{row['id']}"
        return ErasureBody.model_validate(dict(row))

    @router.get("/{erasure}")
    async def get_erasure(erasure: str, access: Eraser) -> ErasureBody:
        """One erasure, and how far it has come."""
        return ErasureBody.model_validate(dict(await service.get_erasure(resources, access, erasure)))

    return router
