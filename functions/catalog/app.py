"""The HTTP surface of event types."""

import json
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response

from functions.catalog.draft import read_type, read_version, type_in
from functions.catalog.function import FUNCTION
from functions.catalog.paths import EncodedTypes
from functions.catalog.schemas import (
    DataCheckBody,
    DataCheckRequest,
    FaultBody,
    SchemaBody,
    SchemaCreate,
    TypeBody,
    TypeItem,
    TypeList,
    TypeReplace,
)
from functions.catalog.service import Catalog, EventType
from shared.auth.access import Access
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import requires
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Limit, TextCursor
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("types:read"))]
Writer = Annotated[Access, Depends(requires("types:write"))]


def _location(what: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uri-reference"}
    return {"headers": {"Location": {"description": f"The {what}'s address.", "schema": schema}}}


def create(resources: Resources) -> FastAPI:
    """The application of `catalog`."""
    app = endpoint_app(FUNCTION, resources, _router(resources))
    app.add_middleware(EncodedTypes)
    return app


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}/types", tags=["types"])
    catalog = Catalog(resources)

    @router.get("")
    async def list_types(access: Reader, limit: Limit = 50, cursor: TextCursor = None) -> TypeList:
        """The event types that the project has registered, in the order of their names."""
        rows, following = await catalog.page(access, cursor, limit)
        return TypeList(items=[TypeItem.model_validate(dict(row)) for row in rows], next=following)

    @router.get("/{type}")
    async def get_type(type: str, access: Reader) -> TypeBody:  # noqa: A002 CloudEvents' word
        """An event type with every version of its schema."""
        return type_body(await catalog.get(access, type_in(type)))

    @router.put(
        "/{type}",
        openapi_extra=problems(409),
        responses={201: {"model": TypeBody, "description": "It is new.", **_location("type")}},
    )
    async def put_type(
        type: str,  # noqa: A002 CloudEvents' word
        body: TypeReplace,
        access: Writer,
        by: Author,
        response: Response,
    ) -> TypeBody:
        """Register an event type, or change it. What is absent gets its default again; versions stay.

        In force for every event that comes more than a second after the answer.
        """
        draft = read_type(
            description=body.description,
            schema_mode=body.schema_mode,
            facets=body.facets,
            schema=body.json_schema,
            dataschema=body.dataschema,
        )
        found, is_new = await catalog.put(access, by, type_in(type), draft)
        if is_new:
            response.status_code = 201
            response.headers["Location"] = address(access, found.row["type"])
        return type_body(found)

    @router.delete("/{type}", status_code=204)
    async def delete_type(type: str, access: Writer, by: Author) -> None:  # noqa: A002 CloudEvents' word
        """Forget an event type with its schemas and facets. Its events stay as they are."""
        await catalog.delete(access, by, type_in(type))

    @router.post(
        "/{type}/schemas",
        status_code=201,
        openapi_extra=problems(409),
        responses={
            200: {"model": SchemaBody, "description": "The newest version says the same already."},
            201: _location("version"),
        },
    )
    async def add_schema(
        type: str,  # noqa: A002 CloudEvents' word
        body: SchemaCreate,
        access: Writer,
        by: Author,
        response: Response,
    ) -> SchemaBody:
        """Add a version to the type's schema."""
        draft = read_version(body.json_schema, body.dataschema)
        name = type_in(type)
        row, is_new = await catalog.add_schema(access, by, name, draft)
        if not is_new:
            response.status_code = 200
        response.headers["Location"] = f"{address(access, name)}/schemas/{row['version']}"
        return schema_body(row)

    @router.get("/{type}/schemas/{version}")
    async def get_schema(type: str, version: str, access: Reader) -> SchemaBody:  # noqa: A002 CloudEvents' word
        """One version of the type's schema."""
        return schema_body(await catalog.schema(access, type_in(type), version))

    @router.post("/{type}/check")
    @changes_nothing
    async def check_data(type: str, body: DataCheckRequest, access: Reader) -> DataCheckBody:  # noqa: A002
        """What a schema says of given data, without saving either."""
        verdict = await catalog.check(access, type_in(type), body.data, body.json_schema, body.version)
        errors = [FaultBody(pointer=f.pointer, detail=f.detail) for f in verdict.faults]
        return DataCheckBody(valid=not errors, version=verdict.version, errors=errors)

    return router


def address(access: Access, type_: str) -> str:
    """Where the type is."""
    return f"/v1/projects/{access.project_name}/types/{quote(type_, safe='')}"


def type_body(found: EventType) -> TypeBody:
    """The type as it is answered."""
    version = found.schemas[-1]["version"] if found.schemas else None
    return TypeBody.model_validate(
        {**found.row, "version": version, "schemas": [schema_body(row) for row in found.schemas]}
    )


def schema_body(row: "Record") -> SchemaBody:
    """A version as it is answered."""
    return SchemaBody(
        version=row["version"],
        dataschema=row["dataschema"],
        json_schema=json.loads(row["schema"]),
        created_at=row["created_at"],
    )
