"""The HTTP shapes of legal holds."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from shared.runtime.listing import Instant, storable
from shared.runtime.schema import Named, Request, Schema

Exact = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(storable)]


class HoldRequest(Request):
    """What must not be destroyed: the events with these values, those that are absent are any.

    `name` says why, as the case is called. Without anything else it is all of the project.
    """

    name: Annotated[str, Field(min_length=1, max_length=200), Named]
    type: Exact | None = None
    source: Exact | None = None
    subject: Exact | None = None
    since: Instant | None = None
    until: Instant | None = None


class HoldBody(Schema):
    """A hold, and who has put it. One that was lifted is kept, and holds nothing."""

    id: UUID
    name: str
    type: str | None
    source: str | None
    subject: str | None
    since: datetime | None
    until: datetime | None
    created_by: str
    created_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


class HoldList(Schema):
    """A page of holds, newest first."""

    items: list[HoldBody]
    next: str | None
