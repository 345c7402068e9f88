"""Settings out of environment variables, without what that usually costs a start."""

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

PREFIX = "WEIR_"


class FromEnvironment(BaseModel):
    """Frozen settings: the field `sink_allow` is read from `WEIR_SINK_ALLOW` unless it is given.

    A value from the environment is text, and a field's type or validator makes of it what it is.
    Raises ValidationError that names what is missing or cannot be used.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        validate_default=True,
        hide_input_in_errors=True,  # what cannot be used may still be a secret
    )

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: dict[str, Any]) -> dict[str, Any]:
        names = ((name, PREFIX + name.upper()) for name in cls.model_fields)
        found = {name: os.environ[variable] for name, variable in names if variable in os.environ}
        return {**found, **given}
