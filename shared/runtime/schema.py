"""The shape of HTTP bodies: lowerCamelCase outside, snake_case inside."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema
from pydantic.alias_generators import to_camel

Ignored = Annotated[Any, WithJsonSchema({"description": "Ignored."})]
"""A member that only Weir writes, in a body that was read from here and is sent back."""


class Schema(BaseModel):
    """A response body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class Request(Schema):
    """A request body: a member that is not known is an error, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid")
