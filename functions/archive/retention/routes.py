"""The HTTP surface of a project's retention."""

from typing import Annotated

from fastapi import APIRouter, Depends

from functions.archive.retention import service
from functions.archive.retention.schemas import RetentionBody, RetentionRequest
from functions.archive.stored import Stored
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.resources import Resources


def retention(resources: Resources, stored: Stored) -> APIRouter:
    """The routes of `/v1/projects/{project}/retention`."""
    router = APIRouter(prefix="/v1/projects/{project}/retention", tags=["archive"])

    @router.get("")
    async def get_retention(access: Annotated[Access, Depends(requires("projects:read"))]) -> RetentionBody:
        """For how long events are kept, in the database and in the archive."""
        return await shown(access)

    @router.put("")
    async def replace_retention(
        body: RetentionRequest, access: Annotated[Access, Depends(requires("projects:write"))], by: Author
    ) -> RetentionBody:
        """Set for how long. Within a minute, what is over by then begins to go; what is held stays."""
        await service.replace_retention(resources, access, by, body)
        return await shown(access)

    async def shown(access: Access) -> RetentionBody:
        found = await service.get_retention(resources, access)
        return RetentionBody.model_validate({**found, "archive": stored.kind})

    return router
