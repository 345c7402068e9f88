"""What may go, and when: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.archive.wanted import keys_of, wanted_of

FRESH_DAYS = 2
"""Today and the day before are written to, or looked at for copies: they stay, whatever a project wants."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long a project keeps its events, in days: null is for ever, and an archive of 0 is none."""

    retention_days: int | None
    archive_days: int | None


def is_over(day: date, days: int | None, today: date) -> bool:
    """Whether what was received on `day` has been kept for `days`, the last moment of that day too."""
    return days is not None and day < today - timedelta(days=max(days, FRESH_DAYS - 1))


def touch(rows: Iterable[Any], project_id: UUID, day: date) -> bool:
    """Whether one of these holds or recalls of the project may mean an event of that day."""
    low, high = keys_of(day)
    last = UUID(int=high.int - 1)
    return any(row["project_id"] == project_id and wanted_of(row).touches(low, last) for row in rows)


def today() -> date:
    """In UTC, as days are everywhere here."""
    return datetime.now(UTC).date()
