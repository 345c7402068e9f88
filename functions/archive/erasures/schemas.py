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

    `subject` is null once it is done: `digest` stays, by which `?subject=` finds it. `events` leave the database,
    `archivedEvents` the archive; `held` are those that a hold keeps, for which it waits. `keptIn` names the subscriptions
    whose filters have the subject, and go on: change them where they should not. Until it is done, `daysLooked` of the
    `days` of the archive are looked through. Of a dry run `id` and the times are null, and counts of more than 10,000, or of
    more than ten seconds, are not `isExact`.
    """

    id: UUID | None
    subject: str | None
    digest: str
    reason: str
    state: Literal["dry-run", "running", "held", "done"]
    events: int
    archived_events: int
    held: int
    is_exact: bool
    kept_in: list[str]
    days: int
    days_looked: int
    created_by: str
    created_at: datetime | None
    ended_at: datetime | None


class ErasureList(Schema):
    """A page of erasures, newest first."""

    items: list[ErasureBody]
    next: str | None
