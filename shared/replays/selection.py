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

_VERSION = """SELECT FROM subscription_versions v
    WHERE v.subscription_id = d.subscription_id AND v.version = d.subscription_version"""
# The same as the list of deliveries looks through.
_TEXT = f"""(strpos(lower(coalesce(d.last_error, '')), {{}}) > 0
    OR strpos(lower(e.type), {{}}) > 0 OR strpos(lower(coalesce(e.subject, '')), {{}}) > 0
    OR EXISTS ({_VERSION} AND (strpos(lower(v.name), {{}}) > 0 OR strpos(lower(v.sink), {{}}) > 0)))"""

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
    subscriptions: tuple[UUID, ...] = ()
    left_out: tuple[UUID, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    filters: tuple[Any, ...] | None = None
    types: tuple[str, ...] = ()
    sinks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    error: str | None = None
    text: str | None = None

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
            "subscription": [str(one) for one in self.subscriptions],
            "since": _text(self.since),
            "until": _text(self.until),
            "filters": None if self.filters is None else list(self.filters),
            "type": list(self.types),
            "sink": list(self.sinks),
            "statusCode": list(self.codes),
            "error": self.error,
            "q": self.text,
            "leaveOut": [str(one) for one in self.left_out],
        }
        # No filters let everything through, which is another thing than to say nothing of them.
        return {name: value for name, value in said.items() if value or (name == "filters" and value == [])}

    @classmethod
    def from_json(cls, project_id: UUID, kept: Mapping[str, Any]) -> Self:
        """What `as_json` made."""
        filters = kept.get("filters")
        return cls(
            project_id=project_id,
            deliveries=_uuids(kept.get("deliveries", ())),
            events=_uuids(kept.get("events", ())),
            statuses=tuple(kept.get("status", ())),
            subscriptions=_uuids(kept.get("subscription", ())),
            left_out=_uuids(kept.get("leaveOut", ())),
            since=_moment(kept.get("since")),
            until=_moment(kept.get("until")),
            filters=None if filters is None else tuple(filters),
            types=tuple(kept.get("type", ())),
            sinks=tuple(kept.get("sink", ())),
            codes=tuple(kept.get("statusCode", ())),
            error=kept.get("error"),
            text=kept.get("q"),
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
    if len(selection.subscriptions) == 1:
        conditions.add("d.subscription_id = {}", selection.subscriptions[0])
    elif selection.subscriptions:
        conditions.add("d.subscription_id = ANY({}::uuid[])", list(selection.subscriptions))
    if selection.left_out:
        conditions.add("d.subscription_id <> ALL({}::uuid[])", list(selection.left_out))
    if selection.codes:
        conditions.say("(" + " OR ".join(_code(code, conditions) for code in selection.codes) + ")")
    if selection.error is not None:
        conditions.add("strpos(lower(d.last_error), lower({})) > 0", selection.error)
    if selection.sinks:
        conditions.add(f"EXISTS ({_VERSION} AND v.sink = ANY({{}}::text[]))", list(selection.sinks))
    if selection.types:
        conditions.add("e.type = ANY({}::text[])", list(selection.types))
    if selection.text is not None:
        conditions.add(_TEXT, selection.text.lower())
    return conditions


def needs_events(selection: Selection) -> bool:
    """Whether a selection of deliveries says something of their events."""
    return bool(selection.types or selection.filters) or selection.text is not None


def events_where(selection: Selection, low: UUID, high: UUID, conditions: Conditions) -> Conditions:
    """Conditions on events `e`."""
    conditions.add("e.project_id = {}", selection.project_id)
    conditions.add("e.uid >= {}", low).add("e.uid < {}", high)
    if selection.events:
        conditions.add("e.uid = ANY({}::uuid[])", list(selection.events))
    if len(selection.types) == 1:
        # The index holds the first 255 characters: an entry has a size limit, a type has none.
        conditions.add("left(e.type, 255) = left({}, 255)", selection.types[0])
    if selection.types:
        conditions.add("e.type = ANY({}::text[])", list(selection.types))
    return conditions


def _code(code: str, conditions: Conditions) -> str:
    """One answer, all of a class (`5xx`), or `none` at all."""
    if code == "none":
        return "(d.last_status_code IS NULL AND d.attempt_count > 0)"
    low, high = (
        (int(code[0]) * 100, int(code[0]) * 100 + 99) if code.endswith("xx") else (int(code), int(code))
    )
    return f"d.last_status_code BETWEEN {conditions.parameter(low)} AND {conditions.parameter(high)}"


def _uuids(texts: Iterable[str]) -> tuple[UUID, ...]:
    return tuple(UUID(text) for text in texts)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _ms(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones, so both bounds stay exact."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
