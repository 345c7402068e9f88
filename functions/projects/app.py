"""The HTTP surface of projects; what belongs to a project has a folder of its own."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response

from functions.projects import service
from functions.projects.audit.routes import audit, own_audit
from functions.projects.function import FUNCTION
from functions.projects.invitations.routes import invitations
from functions.projects.keys.routes import keys
from functions.projects.members.routes import members
from functions.projects.producers.routes import producers
from functions.projects.roles.routes import roles
from functions.projects.schemas import (
    CreatedProjectBody,
    ProjectBody,
    ProjectList,
    ProjectRequest,
)
from functions.projects.settings.routes import settings
from functions.projects.sources.routes import sources
from shared.auth.access import Access, Principal
from shared.auth.acting import Author
from shared.auth.dependency import requires, signed_in
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]


def create(resources: Resources) -> FastAPI:
    """The application of `projects`."""
    return endpoint_app(
        FUNCTION,
        resources,
        _projects(resources),
        settings(resources),
        producers(resources),
        members(resources),
        invitations(resources),
        roles(resources),
        keys(resources),
        sources(resources),
        audit(resources),
        own_audit(resources),
    )


def _projects(resources: Resources) -> APIRouter:
    router = APIRouter(tags=["projects"])

    @router.get("/v1/projects")
    async def list_projects(caller: Caller, limit: Limit = 50, cursor: Cursor = None) -> ProjectList:
        """The caller's projects, by name."""
        rows, following = await service.list_projects(resources, caller, limit=limit, cursor=cursor)
        return ProjectList(items=[ProjectBody.model_validate(dict(row)) for row in rows], next=following)

    @router.post(
        "/v1/projects", status_code=201, response_model_exclude_none=True, openapi_extra=problems(409)
    )
    async def create_project(
        body: ProjectRequest, caller: Caller, by: Author, response: Response
    ) -> CreatedProjectBody:
        """Make a project. A user becomes its owner."""
        row, key = await service.create_project(resources, caller, by, body.name)
        response.headers["Location"] = f"/v1/projects/{row['name']}"
        return CreatedProjectBody.model_validate({**row, "api_key": key})

    @router.get("/v1/projects/{project}")
    async def get_project(access: Annotated[Access, Depends(requires("projects:read"))]) -> ProjectBody:
        """One project."""
        return ProjectBody.model_validate(dict(await service.get_project(resources, access)))

    return router
