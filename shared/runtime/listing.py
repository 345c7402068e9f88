"""What all lists have in common: `limit`, and an opaque `cursor` to where the last page ended."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from shared.core.problems import INVALID, Fault, Problem
from shared.runtime.schema import Spelled

MAX_LIMIT = 500

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=64, description="`next` of the page before: go on where it ended.")
]

TextCursor = Annotated[
    str | None, Query(max_length=2_000, description="`next` of the page before: go on where it ended.")
]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def storable(text: str) -> str:
    """`text`, which Postgres can have. Raises ValueError."""
    if "\0" in text:
        raise ValueError("must not contain U+0000")
    return text


def _instant(value: object) -> object:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be an instant of RFC 3339 such as 2026-11-23T20:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """`moment`, which has a day in UTC too. Raises ValueError."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be of the years 1 to 9999 in UTC") from None
    return moment


Instant = Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_in_utc)]


LastCode = Annotated[
    str,
    Spelled(
        "^([1-5][0-9][0-9]|[1-5]xx|none)$",
        "must be a status code such as 503, a class of them such as 5xx, or none",
    ),
]
"""What the last attempt got, as it is asked for."""


def write_cursor(last: UUID) -> str:
    """The cursor of a page that ended with the row `last`."""
    return base64.urlsafe_b64encode(last.bytes).rstrip(b"=").decode()


def page_of(rows: list[Any], limit: int) -> tuple[list[Any], str | None]:
    """Of rows with an `id`, which were asked for one more than `limit`: the page, and the cursor of the next if there is one."""
    return rows[:limit], write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None


def write_text_cursor(last: str) -> str:
    """The cursor of a page, in the order of a text, that ended with `last`."""
    return base64.urlsafe_b64encode(last.encode()).rstrip(b"=").decode()


def read_text_cursor(cursor: str | None) -> str | None:
    """The text that `cursor` stands for. Raises Problem 422 for one that no page ended with."""
    if cursor is None:
        return None
    try:
        given = cursor.encode("ascii")
        found = base64.b64decode(given + b"=" * (-len(given) % 4), altchars=b"-_", validate=True).decode()
        if "\0" not in found and write_text_cursor(found) == cursor:
            return found
    except (UnicodeError, binascii.Error):
        pass
    raise _no_cursor()


def read_cursor(cursor: str | None) -> UUID | None:
    """The row that `cursor` stands for. Raises Problem 422 for a text that no page ended with.

    A cursor is a place, not a right: whoever makes one up gets another page of what they may see anyway.
    """
    if cursor is None:
        return None
    try:
        text = cursor.encode("ascii")
        found = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if len(found) == 16 and write_cursor(UUID(bytes=found)) == cursor:
            return UUID(bytes=found)
    except (UnicodeEncodeError, binascii.Error):
        pass
    raise _no_cursor()


def _no_cursor() -> Problem:
    return Problem(
        INVALID,
        "The request has values that cannot be used.",
        errors=[Fault("/query/cursor", "is not a cursor that a list has given")],
    )
