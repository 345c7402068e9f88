"""An event's story as text: a line for each thing that happened, with bars on an axis in two parts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

NEAR_MS = 300.0
"""Up to here the axis is linear; what comes later is linear too, after a break."""

NEAR_SHARE = 0.4
SIGNS = {"delivered": "✓", "retrying": "↻", "pending": "…", "dead": "✗", "cancelled": "-"}
NAME_COLUMNS = 34
OPEN = frozenset({"pending", "retrying"})


def lines(story: Mapping[str, Any], *, width: int, now: datetime | None = None) -> Iterator[str]:
    """The story, in lines that are about `width` columns wide."""
    moment = now or datetime.now(UTC)
    started = _ms(story["receivedAt"]) - (story["intake"]["durationMs"] or 0.0)
    axis = Axis(_span(story, started, moment.timestamp() * 1000), max(24, min(60, width - NAME_COLUMNS - 30)))
    event = story["event"]
    yield f"{event['type']}  {story['uid']}"
    yield f"received {story['receivedAt']}{_sender(story)}, source {event['source']}"
    yield ""
    yield f"{'':{NAME_COLUMNS}}{axis.head()}"
    yield from _intake(story, axis, started)
    for delivery in story["deliveries"]:
        yield _lane(delivery, axis, started, moment)
    yield from _verdicts(story)
    yield from _related(story)


class Axis:
    """Columns for milliseconds: two linear parts where anything takes longer than `NEAR_MS`."""

    def __init__(self, span: float, columns: int) -> None:
        self.columns = columns
        self.end = max(span * 1.05, 4.0)
        self.near = int(columns * NEAR_SHARE) if self.end > NEAR_MS else columns

    def column(self, ms: float) -> int:
        """Where a moment stands."""
        if self.near == self.columns:
            return min(self.columns - 1, int(max(0.0, ms) / self.end * self.columns))
        if ms <= NEAR_MS:
            return min(self.near - 1, int(max(0.0, ms) / NEAR_MS * self.near))
        share = (ms - NEAR_MS) / (self.end - NEAR_MS)
        return min(self.columns - 1, self.near + int(share * (self.columns - self.near)))

    def head(self) -> str:
        """The scale in words."""
        if self.near == self.columns:
            return "0" + took(self.end).rjust(self.columns - 1)
        return "0" + "300 ms".rjust(self.near - 1) + took(self.end).rjust(self.columns - self.near)

    def bars(self, parts: Sequence[tuple[float, float, str]]) -> str:
        """Parts from and to a moment, each drawn with its sign; the later ones over the earlier."""
        drawn = [" "] * self.columns
        for start, end, sign in parts:
            first = self.column(start)
            for column in range(first, max(first, self.column(end)) + 1):
                drawn[column] = sign
        return "".join(drawn)


def took(ms: float) -> str:
    """A length in the unit that fits."""
    if ms < 1000:
        return f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _intake(story: Mapping[str, Any], axis: Axis, started: float) -> Iterator[str]:
    intake = story["intake"]
    taken = intake["durationMs"] or 0.0
    schema = "no schema" if intake["schemaVersion"] is None else f"schema v{intake['schemaVersion']}"
    schema += " does not fit" if story["schemaFault"] else ""
    measured = took(taken) if intake["durationMs"] is not None else "not measured"
    yield _line("✓", "receive and validate", axis.bars([(0, taken, "█")]), f"{measured}, {schema}")
    events = intake["commitEvents"]
    commit = (
        "" if events is None else "a commit of its own" if events == 1 else f"a commit of {events} events"
    )
    yield _line("✓", "store", axis.bars([(taken, taken, "█")]), commit)
    matched = sum(verdict["matched"] for verdict in story["subscriptions"])
    first = [_ms(delivery["createdAt"]) - started for delivery in story["deliveries"]]
    routed = max(taken, min(first)) if first else taken
    told = f"{matched} of {len(story['subscriptions'])} matched"
    yield _line("✓", "route", axis.bars([(taken, routed, "█")]), told)


def _lane(delivery: Mapping[str, Any], axis: Axis, started: float, now: datetime) -> str:
    parts: list[tuple[float, float, str]] = []
    end = None
    for attempt in delivery["attempts"]:
        start = _ms(attempt["startedAt"]) - started
        if end is not None:
            parts.append((end, start, "·"))
        end = start + attempt["durationMs"]
        parts.append((start, end, "█"))
    is_open = delivery["status"] in OPEN and delivery["nextAttemptAt"] is not None
    told = str(delivery["lastStatusCode"] or delivery["lastError"] or "")
    if is_open:
        following = _ms(delivery["nextAttemptAt"]) - started
        parts[:0] = [(end or 0.0, following, "·")]
        parts.append((following, following, "□"))
        wait = _ms(delivery["nextAttemptAt"]) - now.timestamp() * 1000
        told += f", attempt {delivery['attemptCount'] + 1} " + (f"in {took(wait)}" if wait > 0 else "is due")
    elif delivery["attempts"]:
        last = delivery["attempts"][-1]
        told += f", {took(last['durationMs'])}"
        told += f", attempt {last['number']}" if last["number"] > 1 else ""
    if delivery["held"]:
        told = "waits: the subscription is paused"
    if delivery.get("replay"):
        told += ", sent again"
    return _line(SIGNS[delivery["status"]], delivery["subscriptionName"], axis.bars(parts), told.lstrip(", "))


def _verdicts(story: Mapping[str, Any]) -> Iterator[str]:
    delivered = {delivery["subscription"] for delivery in story["deliveries"]}
    unsent = [v for v in story["subscriptions"] if v["matched"] and v["subscription"] not in delivered]
    for verdict in unsent:
        yield _line("-", verdict["subscriptionName"], "", f"matches, {verdict['detail'] or 'not sent yet'}")
    missed = [verdict for verdict in story["subscriptions"] if not verdict["matched"]]
    if missed:
        yield ""
        yield f"not matched, {len(missed)}"
    for verdict in missed:
        yield _line("-", verdict["subscriptionName"], "", verdict["detail"] or "")


def _related(story: Mapping[str, Any]) -> Iterator[str]:
    related = story["related"]["items"]
    if related or story["replays"]:
        yield ""
        yield "related"
    for replay in story["replays"]:
        yield f"  {replay['kind']:<12}{replay['id']}  {replay['reason'] or 'no reason given'}"
    for other in related:
        yield f"  {other['relation']:<12}{other['uid']}  {other['type']}"


def _line(sign: str, name: str, bars: str, told: str) -> str:
    name = name if len(name) <= NAME_COLUMNS - 4 else name[: NAME_COLUMNS - 5] + "…"
    line = f"{sign} {name:<{NAME_COLUMNS - 2}}{bars}"
    return f"{line}  {told}".rstrip() if bars else f"{line}{told}".rstrip()


def _sender(story: Mapping[str, Any]) -> str:
    sender = story["sender"]
    if sender is None:
        return ""
    who = f"{sender['kind']} {sender['name'] or sender['id']}"
    return (
        f" from {sender['producer']} by {who}"
        if sender["producer"] and sender["kind"] == "key"
        else f" from {who}"
    )


def _span(story: Mapping[str, Any], started: float, now: float) -> float:
    """Milliseconds until the last thing that is drawn."""
    span = story["intake"]["durationMs"] or 0.0
    for delivery in story["deliveries"]:
        for attempt in delivery["attempts"]:
            span = max(span, _ms(attempt["startedAt"]) - started + attempt["durationMs"])
        if delivery["status"] in OPEN:
            span = max(span, now - started)
            if delivery["nextAttemptAt"] is not None:
                span = max(span, _ms(delivery["nextAttemptAt"]) - started)
    return float(span)


def _ms(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp() * 1000
