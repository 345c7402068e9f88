"""The HTTP shapes of saved searches."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from functions.explore.schemas import Status
from functions.explore.search import Outcome
from shared.runtime.listing import Instant, LastCode, storable
from shared.runtime.schema import Ignored, Named, Request, Schema, Spelled

Page = Literal["events", "deliveries"]
Name = Annotated[str, Field(min_length=1, max_length=100), Named]
_Text = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(storable)]
_Words = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
_Any = Annotated[list[_Text], Field(max_length=20)]
_Pairs = Annotated[
    list[Annotated[str, Field(pattern="^[a-z][a-zA-Z0-9_]*:", max_length=300)]], Field(max_length=10)
]
_Codes = Annotated[list[LastCode], Field(max_length=20)]
_Ago = Annotated[
    str,
    Spelled("^[1-9][0-9]{0,4}[smhd]$", "must be a number and s, m, h or d, such as 1h"),
]


class SavedQuery(Request):
    """Parameters of a list, by their names there. In place of `since`, `last` moves on with the time."""

    type: _Any = Field(default_factory=list)
    type_prefix: _Text | None = None
    source: _Any = Field(default_factory=list)
    source_prefix: _Text | None = None
    id: _Text | None = None
    subject: _Any = Field(default_factory=list)
    subject_prefix: _Text | None = None
    producer: _Any = Field(default_factory=list)
    extension: _Pairs = Field(default_factory=list)
    facet: _Pairs = Field(default_factory=list)
    subscription: Annotated[list[UUID], Field(max_length=20)] = Field(default_factory=list)
    sink: _Any = Field(default_factory=list)
    status_code: _Codes = Field(default_factory=list)
    error: _Words | None = None
    q: _Words | None = None
    last: _Ago | None = Field(default=None, description="Received since so long before now, such as `1h`.")
    since: Instant | None = None
    until: Instant | None = None
    outcome: Annotated[list[Outcome], Field(max_length=6, description="Of events alone.")] = Field(
        default_factory=list
    )
    schema_fault: Annotated[bool | None, Field(description="Of events alone.")] = None
    status: Annotated[Status | None, Field(description="Of deliveries alone.")] = None
    event: Annotated[UUID | None, Field(description="Of deliveries alone.")] = None


class SearchRequest(Request):
    """A search to be, of the list of a page. A body that was read from here can be sent back."""

    name: Name
    page: Page
    query: SavedQuery
    id: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class SearchBody(Schema):
    """A saved search. `query` has what was given; it can be sent back, and asked of the list."""

    id: UUID
    name: str
    page: Page
    query: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class SearchList(Schema):
    """Saved searches by name."""

    items: list[SearchBody]
    next: str | None = None
