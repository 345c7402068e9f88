"""The HTTP shapes of recalls."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from shared.runtime.listing import Instant, storable
from shared.runtime.schema import OneLine, Request, Schema

Exact = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(storable)]


class RecallRequest(Request):
    """Which archived events are to come back: one by its uid, or those that were received in a span of time.

    They stay for `keepDays`, then they leave the database again. With `dryRun` nothing is done.
    """

    event: UUID | None = None
    since: Instant | None = None
    until: Instant | None = None
    type: Exact | None = None
    source: Exact | None = None
    subject: Exact | None = None
    keep_days: Annotated[int, Field(ge=1, le=365)] = 7
    reason: Annotated[str, Field(max_length=500), OneLine] = ""
    dry_run: bool = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.event is not None:
            if any((self.since, self.until, self.type, self.source, self.subject)):
                raise ValueError("event stands alone: its uid says all")
        elif self.since is None or self.until is None:
            raise ValueError("needs event, or since and until")
        return self


class RecallBody(Schema):
    """A recall and how far it has come. `atMost` events of the archive lie in its span of time.

    Of a dry run `id` and the times are null. `state` is `over` once its events have left again, or may at any time.
    """

    id: UUID | None
    event: UUID | None
    since: datetime
    until: datetime
    type: str | None
    source: str | None
    subject: str | None
    reason: str
    state: Literal["dry-run", "running", "done", "cancelled", "failed", "over"]
    error: str | None
    at_most: int
    events: int
    keep_until: datetime | None
    created_by: str
    created_at: datetime | None
    ended_at: datetime | None


class RecallList(Schema):
    """A page of recalls, newest first."""

    items: list[RecallBody]
    next: str | None
