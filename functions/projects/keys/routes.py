"""The HTTP surface of API keys."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.projects.keys import service
from functions.projects.keys.draft import Draft
from functions.projects.keys.schemas import (
    IssuedKeyBody,
    KeyBody,
    KeyList,
    KeyReplace,
    KeyRequest,
    RotateRequest,
    Search,
    State,
)
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

Reader = Annotated[Access, Depends(requires("keys:read"))]
Writer = Annotated[Access, Depends(requires("keys:write"))]


def keys(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/keys`."""
    router = APIRouter(prefix="/v1/projects/{project}/keys", tags=["keys"])

    @router.get("")
    async def list_keys(
        access: Reader,
        state: State = "active",
        q: Search = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> KeyList:
        """The project's API keys, newest first; not their texts, which nobody has."""
        rows, following = await service.list_keys(
            resources, access, is_revoked=state == "revoked", search=q, limit=limit, cursor=cursor
        )
        return KeyList(items=[KeyBody.model_validate(service.shown(row)) for row in rows], next=following)

    @router.post("", status_code=201)
    async def create_key(body: KeyRequest, access: Writer, by: Author, response: Response) -> IssuedKeyBody:
        """Make an API key. Its text is answered this once."""
        row, text = await service.create_key(resources, access, by, draft_of(body))
        response.headers["Location"] = f"/v1/projects/{access.project_name}/keys/{row['id']}"
        return IssuedKeyBody.model_validate({**service.shown(row), "key": text})

    @router.get("/{key}")
    async def get_key(key: str, access: Reader) -> KeyBody:
        """One API key, revoked or not."""
        return KeyBody.model_validate(service.shown(await service.get_key(resources, access, key)))

    @router.put("/{key}")
    async def replace_key(key: str, body: KeyReplace, access: Writer, by: Author) -> KeyBody:
        """Change what an API key is for, everywhere within a second: its name, rights and expiry."""
        row = await service.replace_key(resources, access, by, key, draft_of(body))
        return KeyBody.model_validate(service.shown(row))

    @router.delete("/{key}", status_code=204)
    async def revoke_key(key: str, access: Writer, by: Author) -> None:
        """End an API key, everywhere within a second."""
        await service.revoke_key(resources, access, by, key)

    @router.post("/{key}/rotate", openapi_extra=problems(409))
    async def rotate_key(key: str, body: RotateRequest, access: Writer, by: Author) -> IssuedKeyBody:
        """Give an API key another secret; the one before works on for the overlap. The text is answered this once."""
        row, text = await service.rotate_key(resources, access, by, key, body.overlap)
        return IssuedKeyBody.model_validate({**service.shown(row), "key": text})

    @router.delete("/{key}/previous", status_code=204)
    async def end_previous_secret(key: str, access: Writer, by: Author) -> None:
        """End the secret before the last rotation, everywhere within a second."""
        await service.end_previous_secret(resources, access, by, key)

    return router


def draft_of(body: KeyRequest) -> Draft:
    """What a body asks for."""
    return Draft(
        name=body.name,
        scopes=list(dict.fromkeys(body.scopes)),
        sources=body.sources,
        types=body.types,
        expires_at=body.expires_at,
        producer=body.producer,
    )
