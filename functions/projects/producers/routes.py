"""The HTTP surface of producers."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.projects.producers import service
from functions.projects.producers.draft import Draft, read_draft
from functions.projects.producers.schemas import (
    OidcBody,
    ProducerBody,
    ProducerList,
    ProducerReplace,
    ProducerRequest,
)
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("producers:read"))]
Writer = Annotated[Access, Depends(requires("producers:write"))]


def producers(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/producers`."""
    router = APIRouter(prefix="/v1/projects/{project}/producers", tags=["producers"])

    @router.get("")
    async def list_producers(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> ProducerList:
        """The project's producers, by name."""
        rows, following = await service.list_producers(resources, access, limit=limit, cursor=cursor)
        return ProducerList(items=[body_of(row) for row in rows], next=following)

    @router.post("", status_code=201, openapi_extra=problems(409))
    async def create_producer(
        body: ProducerRequest, access: Writer, by: Author, response: Response
    ) -> ProducerBody:
        """Make a producer. API keys can belong to it, and its issuer's tokens are its credential."""
        row = await service.create_producer(resources, access, by, body.name, draft_of(body))
        response.headers["Location"] = f"/v1/projects/{access.project_name}/producers/{row['name']}"
        return body_of(row)

    @router.get("/{producer}")
    async def get_producer(producer: str, access: Reader) -> ProducerBody:
        """One producer."""
        return body_of(await service.get_producer(resources, access, producer))

    @router.put("/{producer}", openapi_extra=problems(409))
    async def replace_producer(
        producer: str, body: ProducerReplace, access: Writer, by: Author
    ) -> ProducerBody:
        """Change a producer, everywhere within a second. What is absent gets its default again."""
        row = await service.replace_producer(
            resources, access, by, producer, new_name=body.name, draft=draft_of(body)
        )
        return body_of(row)

    @router.delete("/{producer}", status_code=204)
    async def delete_producer(producer: str, access: Writer, by: Author) -> None:
        """Delete a producer and its API keys. They end everywhere within a second; its events stay."""
        await service.delete_producer(resources, access, by, producer)

    def draft_of(body: ProducerRequest) -> Draft:
        settings = resources.settings
        return read_draft(body, own_issuer=settings.public_url, allows_http=bool(settings.sink_allow))

    return router


def body_of(row: "Record") -> ProducerBody:
    """A row as it is answered."""
    oidc = None
    if row["issuer"] is not None:
        oidc = OidcBody(issuer=row["issuer"], audience=row["audience"], subject=row["subject"])
    return ProducerBody.model_validate({**row, "oidc": oidc})
