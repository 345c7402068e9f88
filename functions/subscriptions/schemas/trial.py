"""What is tried without being kept: filters and transforms."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema

from functions.subscriptions.schemas.members import DIALECT, Selection, Transform
from shared.runtime.schema import Request, Schema

MAX_GIVEN = 500
"""How many events a check looks at."""


class CheckRequest(Selection):
    """A filter to try, and what to try it on: `events`, or the `last` stored ones (500 when neither is given)."""

    subscription: UUID | None = Field(default=None, description="Show the difference to its saved filter.")
    events: Annotated[
        list[Any] | None,
        Field(max_length=MAX_GIVEN),
        WithJsonSchema(
            {
                "type": ["array", "null"],
                "maxItems": MAX_GIVEN,
                "items": {"type": "object", "description": "A CloudEvent in the JSON format."},
            }
        ),
    ] = None
    last: int | None = Field(default=None, ge=1, le=MAX_GIVEN)


class TransformRequest(Request):
    """A transform to try, and what to try it on: `event`, or the stored one with that `uid`."""

    transform: Transform = None
    event: Annotated[
        dict[str, Any] | None,
        WithJsonSchema({"type": ["object", "null"], "description": "A CloudEvent in the JSON format."}),
    ] = None
    uid: UUID | None = None


class TransformProblem(Schema):
    """Why there is no result."""

    detail: str
    position: int | None = Field(description="Counts characters of the expression.")


class TransformBody(Schema):
    """What would be sent; without `error`, an `event` that is null is not sent at all."""

    event: dict[str, Any] | None
    error: TransformProblem | None


class CheckItem(Schema):
    """The verdict on one event. `uid` and `receivedAt` are null for an event that was given."""

    uid: UUID | None
    index: int
    type: str
    source: str
    subject: str | None
    received_at: datetime | None
    matched: bool
    error: str | None = Field(description="What went wrong while the filter looked at this event.")
    clause: Annotated[dict[str, Any] | None, WithJsonSchema({"anyOf": [DIALECT, {"type": "null"}]})]
    detail: str | None = Field(description="With which value the clause failed.")
    saved_matched: bool | None = Field(description="The verdict of the saved filter.")


class CheckWarning(Schema):
    """What can be used, but may not mean what was meant."""

    pointer: str
    detail: str


class CheckBody(Schema):
    """The verdicts, newest event first, or in the order given."""

    checked: int
    matched: int
    errors: int
    added: int = Field(description="Matched now, not by the saved filter.")
    removed: int = Field(description="Matched by the saved filter, not now.")
    complete: bool = Field(
        description="False when older events were left out: too much data, or too much time, for one answer."
    )
    warnings: list[CheckWarning] = Field(description="What the filter may not have been meant to say.")
    items: list[CheckItem]
