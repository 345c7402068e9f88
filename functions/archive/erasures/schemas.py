"""The HTTP shapes of erasures."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from shared.runtime.listing import storable
from shared.runtime.schema import OneLine, Request, Schema


class ErasureRequest(Request):
    """Whose data is to be erased: every event with this `subject` that was received until now.

    With `dryRun` nothing is done.
    """

    subject: Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(storable)]
    reason: Annotated[str, Field(max_length=500), OneLine] = ""
    dry_run: bool = False


class ErasureBody(Schema):
    """An erasure and how far it has come.

    `subject` is null once it is done: `digest` stays, by which `?subject=` finds it. `events` were in the database,
    `archivedEvents` in the archive; `held` are those that a hold keeps, for which it waits. Of a dry run `id` and the
    times are null, and counts stop at 10,000.
    """

    id: UUID | None
    subject: str | None
    digest: str
    reason: str
    state: Literal["dry-run", "running", "held", "done"]
    events: int
    archived_events: int
    held: int
    created_by: str
    created_at: datetime | None
    ended_at: datetime | None


class ErasureList(Schema):
    """A page of erasures, newest first."""

    items: list[ErasureBody]
    next: str | None
