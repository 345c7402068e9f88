"""The HTTP shape of a project's retention."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.runtime.schema import Ignored, Request, Schema

MAX_DAYS = 36_500


class RetentionRequest(Request):
    """For how long events are kept. PUT replaces: what is absent is for ever.

    `retentionDays` are those in the database, after the day (UTC) of receipt. `archiveDays` are those in all, the
    archive's with them: 0 is no archive. What only the answer has is ignored, so that it can be sent back.
    """

    retention_days: Annotated[int | None, Field(ge=1, le=MAX_DAYS)] = None
    archive_days: Annotated[int | None, Field(ge=0, le=MAX_DAYS)] = None
    archive: Ignored = None
    oldest: Ignored = None
    oldest_archived: Ignored = None
    waiting: Ignored = None


class WaitBody(Schema):
    """Days that are over and still in the database, and why.

    `archive`: none is configured. `store`: the archive does not answer, or takes nothing. `deliveries`: some are under
    way. `unread`: dispatch has not read all events.
    """

    reason: Literal["archive", "store", "deliveries", "unread"]
    days: int
    oldest: date
    since: datetime


class RetentionBody(Schema):
    """For how long events are kept, and since when there are some.

    `archive` says where they go: into a `bucket`, a `folder`, or nowhere (`none`), and then they stay in the database.
    `oldest` and `oldestArchived` are the first days that have some, null where there are none. What is `waiting` goes by
    itself once it can; nothing is lost meanwhile.
    """

    retention_days: int | None
    archive_days: int | None
    archive: Literal["bucket", "folder", "none"]
    oldest: date | None
    oldest_archived: date | None
    waiting: list[WaitBody]
