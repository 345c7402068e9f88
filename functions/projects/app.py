"""The HTTP surface of projects and API keys; what belongs to a project has a folder of its own."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response

from functions.projects import service
from functions.projects.audit.routes import audit, own_audit
from functions.projects.function import FUNCTION
from functions.projects.producers.routes import producers
from functions.projects.schemas import (
    CreatedKeyBody,
    CreatedProjectBody,
    KeyBody,
    KeyList,
    KeyRequest,
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
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]

_CONFLICT: dict[str, Any] = {"responses": {"409": {"$ref": "#/components/responses/Problem409"}}}


def create(resources: Resources) -> FastAPI:
    """The application of `projects`."""
    return endpoint_app(
        FUNCTION,
        resources,
        _projects(resources),
        settings(resources),
        producers(resources),
        _keys(resources),
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

    @router.post("/v1/projects", status_code=201, response_model_exclude_none=True, openapi_extra=_CONFLICT)
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


def _keys(resources: Resources) -> APIRouter:
    router = APIRouter(tags=["keys"])

    @router.get("/v1/projects/{project}/keys")
    async def list_keys(
        access: Annotated[Access, Depends(requires("keys:read"))], limit: Limit = 50, cursor: Cursor = None
    ) -> KeyList:
        """The project's API keys, newest first; not their texts, which nobody has."""
        rows, following = await service.list_keys(resources, access, limit=limit, cursor=cursor)
        return KeyList(items=[KeyBody.model_validate(dict(row)) for row in rows], next=following)

    @router.post("/v1/projects/{project}/keys", status_code=201)
    async def create_key(
        body: KeyRequest, access: Annotated[Access, Depends(requires("keys:write"))], response: Response
    ) -> CreatedKeyBody:
        """Make an API key. Its text is answered this once."""
        wanted = service.NewKey(
            name=body.name,
            scopes=list(dict.fromkeys(body.scopes)),
            sources=body.sources,
            types=body.types,
            expires_at=body.expires_at,
            producer=body.producer,
        )
        made = await service.create_key(resources, access, wanted)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/keys/{made['id']}"
        return CreatedKeyBody.model_validate(made)

    @router.delete("/v1/projects/{project}/keys/{key}", status_code=204)
    async def revoke_key(key: str, access: Annotated[Access, Depends(requires("keys:write"))]) -> None:
        """End an API key, everywhere within a second."""
        await service.revoke_key(resources, access, key)

    return router
