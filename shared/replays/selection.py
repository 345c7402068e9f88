"""What a replay is about, and the conditions by which its rows are found: pure.

What is frozen is a time and a bound of keys, not a list: a row is looked at once, in the order of keys, and whatever
ended or was made after the replay started is none of its. So it costs nothing to select a million.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from shared.core.ids import floor, timestamp_ms

Kind = Literal["retry", "replay", "cancel"]

WAITING = ("pending", "retrying")
ENDED = ("dead", "cancelled", "delivered")
STATUSES: Mapping[Kind, tuple[str, ...]] = {
    "retry": (*ENDED, "retrying"),
    "replay": (*ENDED, *WAITING),
    "cancel": WAITING,
}
"""What deliveries of which state can be asked for. One that is between attempts can be tried now."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Deliveries or events of a project, received from `since` on and before `until`.

    `deliveries` and `events` are named one by one. `statuses` is empty where deliveries have no part in it.
    """

    project_id: UUID
    deliveries: tuple[UUID, ...] = ()
    events: tuple[UUID, ...] = ()
    statuses: tuple[str, ...] = ()
    subscription: UUID | None = None
    left_out: tuple[UUID, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    filters: tuple[Any, ...] | None = None
    type: str | None = None
    status_code: int | None = None
    error: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether it says one by one what is meant."""
        return bool(self.deliveries or self.events)

    @property
    def is_of_deliveries(self) -> bool:
        """Whether it is about deliveries, or events by what became of them."""
        return bool(self.deliveries or self.statuses)

    @property
    def bounds(self) -> tuple[UUID, UUID]:
        """The keys that it can have, from the first on and before the second."""
        low = UUID(int=0) if self.since is None else floor(_ms(self.since))
        high = _LAST if self.until is None else floor(_ms(self.until))
        named = self.deliveries or self.events
        if named:
            moments = [timestamp_ms(key) for key in named]
            low, high = max(low, floor(min(moments))), min(high, floor(max(moments) + 1))
        return low, high

    def as_json(self) -> dict[str, Any]:
        """As it is kept, and shown: the members of the API's `select`, with `leaveOut`."""
        said = {
            "deliveries": [str(one) for one in self.deliveries],
            "events": [str(one) for one in self.events],
            "status": list(self.statuses),
            "subscription": None if self.subscription is None else str(self.subscription),
            "since": _text(self.since),
            "until": _text(self.until),
            "filters": None if self.filters is None else list(self.filters),
            "type": self.type,
            "statusCode": self.status_code,
            "error": self.error,
            "leaveOut": [str(one) for one in self.left_out],
        }
        # No filters let everything through, which is another thing than to say nothing of them.
        return {name: value for name, value in said.items() if value or (name == "filters" and value == [])}

    @classmethod
    def from_json(cls, project_id: UUID, kept: Mapping[str, Any]) -> Self:
        """What `as_json` made."""
        subscription, filters = kept.get("subscription"), kept.get("filters")
        return cls(
            project_id=project_id,
            deliveries=_uuids(kept.get("deliveries", ())),
            events=_uuids(kept.get("events", ())),
            statuses=tuple(kept.get("status", ())),
            subscription=None if subscription is None else UUID(subscription),
            left_out=_uuids(kept.get("leaveOut", ())),
            since=_moment(kept.get("since")),
            until=_moment(kept.get("until")),
            filters=None if filters is None else tuple(filters),
            type=kept.get("type"),
            status_code=kept.get("statusCode"),
            error=kept.get("error"),
        )


class Conditions:
    """Conditions of a statement with the values of their parameters, which are numbered as they come."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._conditions: list[str] = []

    def add(self, condition: str, value: object) -> Self:
        """`condition` has `{}` where the parameter stands."""
        self._conditions.append(condition.replace("{}", self.parameter(value)))
        return self

    def say(self, condition: str) -> Self:
        """A condition without a parameter."""
        self._conditions.append(condition)
        return self

    def parameter(self, value: object) -> str:
        """Another parameter, and how it is written."""
        self.values.append(value)
        return f"${len(self.values)}"

    @property
    def text(self) -> str:
        """All of them, one of which there must be."""
        return " AND ".join(self._conditions)


def deliveries_where(
    selection: Selection, low: UUID, high: UUID, frozen_at: datetime, conditions: Conditions
) -> Conditions:
    """Conditions on deliveries `d`, and on their events `e` where `needs_events` says so."""
    conditions.add("d.project_id = {}", selection.project_id)
    conditions.add("d.id >= {}", low).add("d.id < {}", high)
    # As literals: the indexes are for some of them alone.
    conditions.say(f"d.status IN ({', '.join(repr(one) for one in selection.statuses)})")
    if "delivered" not in selection.statuses:
        conditions.say("d.status <> 'delivered'")
    if selection.deliveries:
        conditions.add("d.id = ANY({}::uuid[])", list(selection.deliveries))
    elif selection.events:
        conditions.add("d.event_uid = ANY({}::uuid[])", list(selection.events))
    else:
        conditions.add("coalesce(d.ended_at, d.created_at) <= {}", frozen_at)
    if selection.subscription is not None:
        conditions.add("d.subscription_id = {}", selection.subscription)
    if selection.left_out:
        conditions.add("d.subscription_id <> ALL({}::uuid[])", list(selection.left_out))
    if selection.status_code is not None:
        conditions.add("d.last_status_code = {}", selection.status_code)
    if selection.error is not None:
        conditions.add("strpos(lower(d.last_error), lower({})) > 0", selection.error)
    if selection.type is not None:
        conditions.add("e.type = {}", selection.type)
    return conditions


def needs_events(selection: Selection) -> bool:
    """Whether a selection of deliveries says something of their events."""
    return selection.type is not None or bool(selection.filters)


def events_where(selection: Selection, low: UUID, high: UUID, conditions: Conditions) -> Conditions:
    """Conditions on events `e`."""
    conditions.add("e.project_id = {}", selection.project_id)
    conditions.add("e.uid >= {}", low).add("e.uid < {}", high)
    if selection.events:
        conditions.add("e.uid = ANY({}::uuid[])", list(selection.events))
    if selection.type is not None:
        conditions.add("left(e.type, 255) = left({}, 255)", selection.type)
        conditions.add("e.type = {}", selection.type)
    return conditions


def _uuids(texts: Iterable[str]) -> tuple[UUID, ...]:
    return tuple(UUID(text) for text in texts)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ms(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones, so both bounds stay exact."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
