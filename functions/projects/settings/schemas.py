"""The HTTP shape of a project's settings."""

from typing import Annotated

from pydantic import Field

from functions.projects.schemas import Burst, Rate
from shared.runtime.schema import Request, Spelled

Origin = Annotated[
    str,
    Field(max_length=255),
    Spelled(
        r"^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
        "must be a host name, or *. and a host name, without a scheme or a path",
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
