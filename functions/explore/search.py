"""What is looked for, as ranges of keys and exact values: pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from shared.core.facets import is_facet_name
from shared.core.ids import floor, identity, timestamp_ms
from shared.core.problems import INVALID, Fault, Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Events or deliveries with keys from `low` to below `high`, and these exact values.

    `facets` are names and values, all of which must hold; `faulty` says whether a schema had something against it.
    """

    project_id: UUID
    low: UUID
    high: UUID
    type: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None
    producer: str | None = None
    facets: tuple[tuple[str, str], ...] = ()
    faulty: bool | None = None
    event: UUID | None = None
    subscription: UUID | None = None

    @property
    def identity(self) -> UUID | None:
        """The digest under which an event of this source and id is indexed, when both are looked for."""
        if self.source is None or self.id is None:
            return None
        return identity(self.project_id, self.source, self.id)

    @property
    def is_empty(self) -> bool:
        """Whether no key can lie in the range."""
        return self.low >= self.high

    def before(self, key: UUID | None) -> Self:
        """The same for keys below `key` alone."""
        return self if key is None else replace(self, high=min(self.high, key))

    def of_event(self, uid: UUID | None) -> Self:
        """The same for the deliveries of one event: their ids have its milliseconds."""
        if uid is None:
            return self
        low, high = around(uid)
        return replace(self, event=uid, low=max(self.low, low), high=min(self.high, high))


def read_facets(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Names and values of texts such as `order:A-1`. Raises Problem 422."""
    found: list[tuple[str, str]] = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not is_facet_name(name):
            raise Problem(
                INVALID,
                "The request has values that cannot be used.",
                errors=[
                    Fault("/query/facet", "must be a facet's name, a colon and a value, such as order:A-1")
                ],
            )
        found.append((name, value))
    return tuple(found)


def key_range(since: datetime | None, until: datetime | None) -> tuple[UUID, UUID]:
    """The keys received from `since` on and before `until`."""
    low = UUID(int=0) if since is None else floor(_ms(since))
    return low, _LAST if until is None else floor(_ms(until))


def windows(low: UUID, high: UUID, now: datetime) -> Iterator[tuple[UUID, UUID]]:
    """The range from the newest key to the oldest, in pieces that begin with a day and grow fourfold."""
    last_ms = min(timestamp_ms(high), _ms(now))
    width = _DAY_MS
    top = high
    while top > low:
        last_ms -= width
        bottom = max(low, floor(last_ms)) if last_ms > 0 else low
        if bottom < top:
            yield bottom, top
            top = bottom
        width *= 4


def around(uid: UUID) -> tuple[UUID, UUID]:
    """The keys of the millisecond of `uid`: all its deliveries lie there."""
    ms = timestamp_ms(uid)
    return floor(ms), floor(ms + 1)


def received_at(uid: UUID) -> datetime:
    """When an event was received, in UTC."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms(uid))


def _ms(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones, so both bounds stay exact."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
