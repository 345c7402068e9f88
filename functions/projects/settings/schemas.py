"""The HTTP shape of a project's settings."""

from typing import Annotated

from pydantic import Field, StringConstraints

from functions.projects.schemas import Burst, Rate
from shared.runtime.schema import Request

Origin = Annotated[
    str,
    StringConstraints(
        max_length=255,
        pattern=r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
    ),
]


class SettingsBody(Request):
    """What a project takes in. PUT replaces: what is absent gets its default, which is no limit.

    `ratePerSecond` and `burst` are the limit of each producer that has none of its own, and of each API key
    without a producer. `allowedOrigins` are the host names, or `*.example.com` for all below one, that the
    webhook hand-shake lets in; none are all.
    """

    rate_per_second: Rate | None = None
    burst: Burst | None = None
    allowed_origins: list[Origin] = Field(default_factory=list, max_length=100)
