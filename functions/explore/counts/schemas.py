"""The HTTP shapes of counts."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from functions.explore.schemas import SearchedBody, Status
from shared.runtime.schema import Schema


class OutcomeCounts(Schema):
    """Events by how they stand; each counts once."""

    total: int
    delivered: int
    retrying: int
    pending: int
    dead: int
    cancelled: int
    unmatched: int


class HistogramBar(OutcomeCounts):
    """Events received from `since` to before `until`: what a list with these two finds."""

    since: datetime
    until: datetime
    complete: bool = Field(
        description="Whether all of them are counted; false for what lies beyond `searched`."
    )


class HistogramBody(Schema):
    """Events over time, the oldest bar first; bars without events are there too."""

    since: datetime
    until: datetime
    step: str = Field(
        description="How much time a bar stands for, in ISO 8601; the outermost may stand for less."
    )
    items: list[HistogramBar]
    total: OutcomeCounts
    searched: SearchedBody | None = Field(
        description="Null where everything is counted; else back to which moment, and how many were looked at."
    )


class FacetValue(Schema):
    """A value, as a list is asked for it, and how many events have it."""

    value: str
    count: int


class FacetBody(Schema):
    """The values of one thing that events differ in, the most frequent first."""

    kind: Literal["outcome", "type", "source", "facet"] = Field(
        description="The parameter by which a list is narrowed to a value."
    )
    name: str = Field(description="The facet's name; of the other kinds, the kind.")
    values: list[FacetValue]
    more: int = Field(description="How many further values there are.")
    searched: SearchedBody | None = Field(
        description="Null where every event is counted; else back to which moment, and how many were looked at."
    )


class FacetCounts(Schema):
    """What a list can be narrowed by. What it is narrowed to by a thing already does not narrow the counts of that."""

    items: list[FacetBody]


class CauseBody(Schema):
    """Deliveries of one subscription that fail alike. A list that is narrowed by these five finds them."""

    status: Status
    subscription: UUID
    subscription_name: str
    sink: str = Field(description="Where the last of them went.")
    status_code: int | None = Field(
        description="What the last attempt got; null for `none`, without an answer."
    )
    error: str | None = Field(
        description="Why there was no answer, as `error` of the list takes it; null with an answer."
    )
    count: int
    first_at: datetime = Field(description="When the oldest of their events was received.")
    last_at: datetime = Field(description="When the newest was.")


class CauseList(Schema):
    """Why deliveries fail, the most frequent first."""

    items: list[CauseBody]
    more: int = Field(description="How many further causes there are.")
    searched: SearchedBody | None = Field(
        description="Null where every delivery is counted; else back to which moment, and how many were looked at."
    )
