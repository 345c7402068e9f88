"""Which events are meant, by their attributes and when they were received: of holds, recalls, searches, erasures."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID

from shared.core.cloudevents import Event
from shared.core.ids import floor, timestamp_ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = UUID(int=0)
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Events with uids from `low` to below `high` and these attributes; None is any."""

    low: UUID = _FIRST
    high: UUID = _LAST
    uid: UUID | None = None
    type: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None

    def before(self, uid: UUID | None) -> Self:
        """The same for uids below `uid` alone."""
        return self if uid is None else replace(self, high=min(self.high, uid))

    def has(self, uid: UUID, event: Event) -> bool:
        """Whether an event is meant."""
        return self.id in {None, event.id} and self.means(uid, event.type, event.source, event.subject)

    def means(self, uid: UUID, event_type: str, source: str, subject: str | None) -> bool:
        """Whether one with these attributes is, whatever its id."""
        return (
            self.low <= uid < self.high
            and self.uid in {None, uid}
            and self.type in {None, event_type}
            and self.source in {None, source}
            and self.subject in {None, subject}
        )

    def touches(self, first: UUID, last: UUID) -> bool:
        """Whether a uid from `first` to `last` may be meant."""
        return first < self.high and last >= self.low and (self.uid is None or first <= self.uid <= last)


def between(since: datetime | None, until: datetime | None) -> tuple[UUID, UUID]:
    """The lowest and the first too high uid of what was received from `since` on and before `until`."""
    low = _FIRST if since is None else floor(_ms(since))
    return low, _LAST if until is None else floor(_ms(until))


def wanted_of(row: Any) -> Wanted:
    """The events that a row of `holds` or `recalls` means."""
    low, high = between(row["since"], row["until"])
    return Wanted(low=low, high=high, type=row["type"], source=row["source"], subject=row["subject"])


def day_of(uid: UUID) -> date:
    """The day (UTC) on which an event was received."""
    return received_at(uid).date()


def received_at(uid: UUID) -> datetime:
    """When an event was received."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms(uid))


def keys_of(day: date) -> tuple[UUID, UUID]:
    """The lowest and the first too high uid of a day."""
    start = datetime.combine(day, time(), UTC)
    return between(start, start + timedelta(days=1))


def written(moment: datetime) -> str:
    """RFC 3339 with milliseconds, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ms(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones, so both bounds stay exact."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
