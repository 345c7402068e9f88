"""The shape of HTTP bodies: lowerCamelCase outside, snake_case inside."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

Ignored = Annotated[Any, WithJsonSchema({"description": "Ignored."})]
"""A member that only Weir writes, in a body that was read from here and is sent back."""


class Schema(BaseModel):
    """A response body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


@dataclass(frozen=True, slots=True)
class Spelled:
    """How a text is spelled, as a pattern of Python's that is one of ECMA 262's too, and what to say otherwise."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The check, after those of the text itself."""
        spelling = re.compile(self.pattern)

        def check(text: str) -> str:
            if spelling.fullmatch(text) is None:
                raise ValueError(self.words)
            return text

        return no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The pattern, for whoever reads the contract."""
        return {**handler(schema), "pattern": self.pattern}


_UNSHOWN = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
)
SIGN = f"[^{_UNSHOWN}]"
"""A sign of a line that is shown as it is written: no control, and nothing that is not seen or turns the text round
(Unicode Standard Annex 9, section 2). Those that join are let be: Persian and pictures of people need them."""

_WORDS = "has signs that cannot be shown"
OneLine = Spelled(f"^{SIGN}*$", _WORDS)
Named = Spelled(f"^{SIGN}*[^\\s{_UNSHOWN}]{SIGN}*$", f"is empty or {_WORDS}")
"""What people call things, themselves among them: others see it, and go by it."""


class Request(Schema):
    """A request body: a member that is not known is an error, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid")
