"""The HTTP shapes of event types."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from shared.core.facets import MAX_FACETS, MAX_POINTER
from shared.runtime.schema import Ignored, Request, Schema

Mode = Literal["off", "warn", "reject"]

FACETS: dict[str, Any] = {
    "type": "object",
    "description": "Names, and where in the data their values are (RFC 6901).",
    "maxProperties": MAX_FACETS,
    "propertyNames": {"pattern": "^[a-z][a-zA-Z0-9_]{0,31}$"},
    "additionalProperties": {"type": "string", "format": "json-pointer", "maxLength": MAX_POINTER},
}
SCHEMA = {
    "type": "object",
    "description": "A JSON Schema, draft 2020-12 or, by `$schema`, draft 7.",
    "additionalProperties": True,
}
GIVEN_SCHEMA = {**SCHEMA, "type": ["object", "null"]}

Dataschema = Annotated[
    str | None,
    Field(
        max_length=2_000,
        description="The absolute URI by which events name this version. Unique in the type.",
    ),
]


class SchemaBody(Schema):
    """A version of a type's schema. Versions never change."""

    version: int
    dataschema: str | None
    json_schema: Annotated[Any, WithJsonSchema(SCHEMA)] = Field(alias="schema")
    created_at: datetime


class TypeItem(Schema):
    """A registered event type, without its schemas."""

    type: str
    description: str | None
    schema_mode: Mode
    facets: Annotated[dict[str, str], WithJsonSchema(FACETS)]
    version: int | None = Field(description="The newest version of its schema; null without one.")
    created_at: datetime
    updated_at: datetime


class TypeBody(TypeItem):
    """A registered event type with every version of its schema, the first one first."""

    schemas: list[SchemaBody]


class TypeList(Schema):
    """Event types in the order of their names."""

    items: list[TypeItem]
    next: str | None


class TypeReplace(Request):
    """An event type as it shall be. What is absent gets its default again; versions of the schema stay.

    What was read can be sent back: members that only Weir writes are ignored.
    """

    description: str | None = Field(default=None, max_length=1_000)
    schema_mode: Mode = Field(
        default="off",
        description="What is done with an event that does not fit: nothing, `warn` stores it with what is wrong, "
        "`reject` refuses it with 422.",
    )
    facets: Annotated[Any, WithJsonSchema({**FACETS, "default": {}})] = None
    json_schema: Annotated[Any, WithJsonSchema(GIVEN_SCHEMA)] = Field(
        default=None, alias="schema", description="Adds a version when it differs from the newest one."
    )
    dataschema: Dataschema = None
    type: Ignored = None
    version: Ignored = None
    schemas: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class SchemaCreate(Request):
    """A version to be."""

    json_schema: Annotated[Any, WithJsonSchema(SCHEMA)] = Field(alias="schema")
    dataschema: Dataschema = None


class DataCheckRequest(Request):
    """Data to try, on the newest version of the type's schema, on an older one, or on a `schema` that is not kept."""

    data: Any = Field(description="Any JSON value, as the data of an event.")
    json_schema: Annotated[Any, WithJsonSchema(GIVEN_SCHEMA)] = Field(default=None, alias="schema")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)


class FaultBody(Schema):
    """One thing that does not fit. `pointer` begins at the event: `/data/order/id`."""

    pointer: str
    detail: str


class DataCheckBody(Schema):
    """What a schema says of the data: nothing where it fits."""

    valid: bool
    version: int | None = Field(description="Null for a schema that is not kept.")
    errors: list[FaultBody]
