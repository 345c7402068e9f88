"""The HTTP surface of saved searches."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from functions.explore.asked import EventReader
from functions.explore.searches import service
from functions.explore.searches.schemas import Page, SearchBody, SearchList, SearchRequest
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Writer = Annotated[Access, Depends(requires("searches:write"))]
OfPage = Annotated[Page | None, Query(description="Only those of this list.")]


def searches(resources: Resources) -> APIRouter:
    """The routes below `/searches`."""
    router = APIRouter(prefix="/v1/projects/{project}/searches", tags=["explore"])

    @router.get("")
    async def list_searches(
        access: EventReader, page: OfPage = None, limit: Limit = 50, cursor: Cursor = None
    ) -> SearchList:
        """The searches that are kept in the project, by name."""
        rows, following = await service.list_searches(
            resources, access, page=page, limit=limit, cursor=cursor
        )
        return SearchList(items=[SearchBody.model_validate(dict(row)) for row in rows], next=following)

    @router.post("", status_code=201, openapi_extra=problems(409))
    async def save_search(body: SearchRequest, access: Writer, by: Author, response: Response) -> SearchBody:
        """Keep a search under a name, for everybody in the project."""
        row = await service.save_search(resources, access, by, body)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/searches/{row['id']}"
        return SearchBody.model_validate(dict(row))

    @router.get("/{search}")
    async def get_search(search: str, access: EventReader) -> SearchBody:
        """One saved search."""
        return SearchBody.model_validate(dict(await service.get_search(resources, access, search)))

    @router.put("/{search}", openapi_extra=problems(409))
    async def replace_search(search: str, body: SearchRequest, access: Writer, by: Author) -> SearchBody:
        """Change a saved search. What is absent is asked no more."""
        row = await service.replace_search(resources, access, by, search, body)
        return SearchBody.model_validate(dict(row))

    @router.delete("/{search}", status_code=204)
    async def delete_search(search: str, access: Writer, by: Author) -> None:
        """Delete a saved search."""
        await service.delete_search(resources, access, by, search)

    return router
