"""The HTTP surface of sources of third parties."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.projects.sources.schemas import (
    KindBody,
    KindList,
    KindSecretsBody,
    SecretRequest,
    SourceBody,
    SourceCreate,
    SourceList,
    SourceReplace,
    SourceWithSecretBody,
)
from functions.projects.sources.service import Draft, Sources
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.core.problems import INVALID, Fault, Problem
from shared.core.webhooks.kind import Kind
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("sources:read"))]
Writer = Annotated[Access, Depends(requires("sources:write"))]


def sources(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/sources`, and `/source-kinds` beside them."""
    router = APIRouter(prefix="/v1/projects/{project}", tags=["sources"])
    service = Sources(resources)

    @router.get("/source-kinds")
    async def list_source_kinds(access: Reader) -> KindList:  # noqa: ARG001 the permission is what it is for
        """The kinds of sources there are, and what each needs."""
        return KindList(items=[kind_body(kind) for kind in service.kinds()])

    @router.get("/sources")
    async def list_sources(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> SourceList:
        """The project's sources, by name."""
        rows, following = await service.page(access, cursor, limit)
        return SourceList(items=[body_of(access, row) for row in rows], next=following)

    @router.post("/sources", status_code=201, openapi_extra=problems(409))
    async def create_source(
        body: SourceCreate, access: Writer, by: Author, response: Response
    ) -> SourceWithSecretBody:
        """Let a third party send. A secret that is made here is answered this once."""
        row, made = await service.create(access, by, body.name, draft_of(body))
        response.headers["Location"] = f"/v1/projects/{access.project_name}/sources/{row['name']}"
        return with_secret(access, row, made)

    @router.get("/sources/{source}")
    async def get_source(source: str, access: Reader) -> SourceBody:
        """One source."""
        return body_of(access, await service.get(access, source))

    @router.put("/sources/{source}")
    async def replace_source(source: str, body: SourceReplace, access: Writer, by: Author) -> SourceBody:
        """Change a source, everywhere within a second. What is absent gets its default again, except secrets."""
        if body.name not in {None, source}:
            raise Problem(
                INVALID,
                "A source keeps its name.",
                errors=[
                    Fault("/name", "is part of the address that the third party has; make another source")
                ],
            )
        drop = "secrets" in body.model_fields_set and body.secrets is None
        row = await service.replace(access, by, source, draft_of(body), drop_secrets=drop)
        return body_of(access, row)

    @router.delete("/sources/{source}", status_code=204)
    async def delete_source(source: str, access: Writer, by: Author) -> None:
        """Delete a source. Its events stay; what it sends from then on is 404."""
        await service.delete(access, by, source)

    @router.post("/sources/{source}/secrets", status_code=201)
    async def add_source_secret(
        source: str, body: SecretRequest, access: Writer, by: Author
    ) -> SourceWithSecretBody:
        """Take a second secret from now on, beside the newest there is; one that is made here is answered this once."""
        row, made = await service.add_secret(access, by, source, body.secret)
        return with_secret(access, row, made)

    @router.delete("/sources/{source}/secrets", status_code=204)
    async def end_older_source_secret(source: str, access: Writer, by: Author) -> None:
        """Take the newest secret alone from now on."""
        await service.drop_older_secret(access, by, source)

    def members(access: Access, row: "Record") -> dict[str, Any]:
        return {
            "id": str(row["id"]),
            "name": row["name"],
            "kind": row["kind"],
            "settings": row["settings"],
            "secrets": [],
            "secret_count": service.count_secrets(row),
            "rate_per_second": row["rate_per_second"],
            "burst": row["burst"],
            "url": service.url(access, row["name"]),
            "created_at": row["created_at"],
            "updated_at": row["updated_at"],
        }

    def body_of(access: Access, row: "Record") -> SourceBody:
        return SourceBody(**members(access, row))

    def with_secret(access: Access, row: "Record", made: str | None) -> SourceWithSecretBody:
        return SourceWithSecretBody(**members(access, row), secret=made)

    return router


def draft_of(body: SourceCreate | SourceReplace) -> Draft:
    """What a body asks for."""
    return Draft(body.kind, body.settings.root, body.secrets, body.rate_per_second, body.burst)


def kind_body(kind: Kind) -> KindBody:
    """A kind as it is shown."""
    mapping: dict[str, Any] = msgspec.to_builtins(kind.mapping)
    extensions = mapping.pop("extensions")
    return KindBody(
        name=kind.name,
        title=kind.title,
        description=kind.description,
        documentation=list(kind.documentation),
        secrets=KindSecretsBody(
            required=kind.secrets.required,
            generated=kind.secrets.generate is not None,
            hint=kind.secrets.hint,
        ),
        settings=list(kind.settings),
        mapping={name: list(texts) for name, texts in {**mapping, **extensions}.items() if texts},
        signature_header=None if kind.signature is None else kind.signature.header,
        cloudevents=kind.cloudevents,
    )
