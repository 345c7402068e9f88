"""The HTTP shapes of producers."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from functions.projects.schemas import Burst, Name, Pattern, Rate
from shared.runtime.schema import Ignored, Request, Schema


class OidcRequest(Request):
    """Whose tokens are a credential of the producer: those of `issuer` for `audience` whose `sub` fits `subject`."""

    issuer: str = Field(
        min_length=1, max_length=500, description="An https URL, as the tokens have it in `iss`."
    )
    audience: str = Field(min_length=1, max_length=255)
    subject: Pattern = Field(description="A pattern with `*`.")


class OidcBody(Schema):
    """Whose tokens are a credential of the producer."""

    issuer: str
    audience: str
    subject: str


class ProducerRequest(Request):
    """A producer to be. `sources` and `types` are patterns with `*`; none means any.

    Without `ratePerSecond` the project's limit holds. `burst` is how many events may come at once; without
    it as many as come in a second. A body that was read from here can be sent back: members that only Weir
    writes are ignored.
    """

    name: Name
    sources: list[Pattern] = Field(default_factory=list, max_length=50)
    types: list[Pattern] = Field(default_factory=list, max_length=50)
    rate_per_second: Rate | None = None
    burst: Burst | None = None
    oidc: OidcRequest | None = None
    id: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class ProducerReplace(ProducerRequest):
    """A producer as it shall be. Without a name it keeps its name; anything else that is absent goes."""

    name: Name | None = None  # type: ignore[assignment]


class ProducerBody(Schema):
    """A producer."""

    id: UUID
    name: str
    sources: list[str]
    types: list[str]
    rate_per_second: int | None
    burst: int | None
    oidc: OidcBody | None
    created_at: datetime
    updated_at: datetime


class ProducerList(Schema):
    """Producers by name."""

    items: list[ProducerBody]
    next: str | None = None
