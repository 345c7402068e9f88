"""What is looked for, as ranges of keys and values: pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from shared.core.facets import is_facet_name
from shared.core.ids import floor, identity, timestamp_ms
from shared.core.problems import INVALID, Fault, Problem

Outcome = Literal["delivered", "retrying", "pending", "dead", "cancelled", "unmatched"]
"""How an event stands: by the first of `OUTCOMES` that one of its deliveries is in."""

OUTCOMES: tuple[Outcome, ...] = ("dead", "retrying", "pending", "delivered", "cancelled", "unmatched")

Pair = tuple[str, str]
"""A name and a value, of a facet or of an extension."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDeliveries:
    """What one delivery has to be like: all of these hold of the same one.

    `codes` are ranges of status codes, both ends included; (0, 0) is no answer at all.
    """

    subscriptions: tuple[UUID, ...] = ()
    sinks: tuple[str, ...] = ()
    codes: tuple[tuple[int, int], ...] = ()
    error: str | None = None
    replay: UUID | None = None

    @property
    def is_asked(self) -> bool:
        """Whether anything is."""
        return bool(self.subscriptions or self.sinks or self.codes or self.error or self.replay)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Events or deliveries with keys from `low` to below `high`, and these values.

    Of several values of one attribute or facet any will do; different ones must all hold. `faulty` says whether a
    schema had something against the event, `text` is in its attributes or payload.
    """

    project_id: UUID
    low: UUID
    high: UUID
    types: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    producers: tuple[str, ...] = ()
    id: str | None = None
    type_prefix: str | None = None
    source_prefix: str | None = None
    subject_prefix: str | None = None
    extensions: tuple[Pair, ...] = ()
    facets: tuple[Pair, ...] = ()
    faulty: bool | None = None
    outcomes: tuple[Outcome, ...] = ()
    text: str | None = None
    deliveries: OfDeliveries = field(default_factory=OfDeliveries)
    event: UUID | None = None

    @property
    def identity(self) -> UUID | None:
        """The digest under which an event of this source and id is indexed, when both are looked for."""
        if len(self.sources) != 1 or self.id is None:
            return None
        return identity(self.project_id, self.sources[0], self.id)

    @property
    def is_empty(self) -> bool:
        """Whether no key can lie in the range."""
        return self.low >= self.high

    @property
    def asks_of_events(self) -> bool:
        """Whether anything but time, outcome and deliveries is looked for."""
        bare = replace(
            self,
            low=_LAST,
            high=_LAST,
            outcomes=(),
            deliveries=OfDeliveries(),
            event=None,
            text=None,
        )
        return bare != Search(project_id=self.project_id, low=_LAST, high=_LAST)

    def before(self, key: UUID | None) -> Self:
        """The same for keys below `key` alone."""
        return self if key is None else replace(self, high=min(self.high, key))

    def of_event(self, uid: UUID | None) -> Self:
        """The same for the deliveries of one event: their ids have its milliseconds."""
        if uid is None:
            return self
        low, high = around(uid)
        return replace(self, event=uid, low=max(self.low, low), high=min(self.high, high))


def read_facets(given: Sequence[str]) -> tuple[Pair, ...]:
    """Names and values of texts such as `order:A-1`. Raises Problem 422."""
    return _read_pairs(
        given,
        "/query/facet",
        "must be a facet's name, a colon and a value, such as order:A-1",
        is_facet_name,
    )


def read_extensions(given: Sequence[str]) -> tuple[Pair, ...]:
    """The same of extension attributes, such as `partitionkey:C-7` (CloudEvents, "Attribute Naming")."""
    return _read_pairs(
        given,
        "/query/extension",
        "must be the name of an extension attribute, a colon and a value, such as partitionkey:C-7",
        _is_attribute_name,
    )


def read_codes(given: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Ranges of codes of texts such as `503`, `5xx` and `none`, which are known to be spelled so."""
    found = []
    for text in given:
        first = 0 if text == "none" else int(text.replace("x", "0"))
        found.append((first, first + (99 if text.endswith("xx") else 0)))
    return tuple(found)


def _read_pairs(
    given: Sequence[str], pointer: str, words: str, is_name: Callable[[str], bool]
) -> tuple[Pair, ...]:
    found: list[Pair] = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not is_name(name):
            raise Problem(
                INVALID, "The request has values that cannot be used.", errors=[Fault(pointer, words)]
            )
        found.append((name, value))
    return tuple(found)


def _is_attribute_name(name: str) -> bool:
    return name.isascii() and name.isalnum() and name == name.lower()


def by_name(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """The values that are asked of each name."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def key_range(since: datetime | None, until: datetime | None) -> tuple[UUID, UUID]:
    """The keys received from `since` on and before `until`."""
    low = UUID(int=0) if since is None else floor(to_ms(since))
    return low, _LAST if until is None else floor(to_ms(until))


def windows(low: UUID, high: UUID, now: datetime) -> Iterator[tuple[UUID, UUID]]:
    """The range from the newest key to the oldest, in pieces that begin with a day and grow fourfold."""
    last_ms = min(timestamp_ms(high), to_ms(now))
    width = _DAY_MS
    top = high
    while top > low:
        last_ms -= width
        bottom = max(low, floor(last_ms)) if last_ms > 0 else low
        if bottom < top:
            yield bottom, top
            top = bottom
        width *= 4


def run_of_days(lacking: Sequence[str], low: UUID, high: UUID) -> tuple[UUID, bool]:
    """Down to which key the days below `high` are all alike, and whether they have indexes of their own.

    `lacking` are those that have none, such as `20261128`, the oldest first.
    """
    without = [(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) - _EPOCH).days for day in lacking]
    day = (timestamp_ms(high) - 1) // _DAY_MS if high.int else 0
    below = [one for one in without if one <= day]
    if not below:
        return low, True
    if below[-1] < day:
        return max(low, floor((below[-1] + 1) * _DAY_MS)), True
    first = day
    while first - 1 in below:
        first -= 1
    return max(low, floor(first * _DAY_MS)), False


def around(uid: UUID) -> tuple[UUID, UUID]:
    """The keys of the millisecond of `uid`: all its deliveries lie there."""
    ms = timestamp_ms(uid)
    return floor(ms), floor(ms + 1)


def received_at(uid: UUID) -> datetime:
    """When an event was received, in UTC."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms(uid))


def to_ms(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones, so both bounds stay exact."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
