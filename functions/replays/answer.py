"""From rows and counts to what is answered."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.replays.counting import Count, Prospect
from functions.replays.estimate import (
    LONGEST_SECONDS,
    Lately,
    dies_after,
    lowest_rate,
    seconds_for,
    would_die,
)
from functions.replays.schemas import (
    DryRunBody,
    DrySinkBody,
    ReplayBody,
    ReplayItem,
    ReplaySinkBody,
    SinkFailingBody,
    StopRule,
)
from shared.core.delivery import DEFAULT
from shared.core.durations import format_duration
from shared.replays.selection import Kind

if TYPE_CHECKING:
    from asyncpg import Record

SHOWN = 20
"""How many ids of a selection are shown: `named` says how many there are."""

NOTHING_KNOWN = Lately(0, 0, None)


def dry_run(
    kind: Kind,
    count: Count,
    prospects: Mapping[UUID, Prospect],
    *,
    address: str | None,
    rate: float | None,
    left_out: Mapping[UUID, int],
    at: datetime,
) -> DryRunBody:
    """What it would come to, the sink with the most first. `left_out` is what was asked to be no part of it."""
    sinks = [
        _sink(
            kind,
            None if identity is None else prospects.get(identity),
            total,
            rate,
            identity=identity,
            address=address,
            duplicates=count.duplicates.get(identity, 0),
        )
        for identity, total in count.totals.items()
        if total or count.is_exact
    ]
    sinks += [
        _sink(kind, prospects.get(identity), total, rate, identity=identity, address=address, left_out=True)
        for identity, total in left_out.items()
    ]
    sinks.sort(key=lambda sink: (sink.left_out, -sink.count))
    part = [sink for sink in sinks if not sink.left_out]
    known = [sink.seconds for sink in part if sink.seconds is not None]
    seconds = max(known, default=None)
    return DryRunBody(
        kind=kind,
        at=at,
        count=sum(sink.count for sink in part),
        is_exact=count.is_exact,
        duplicates=sum(sink.duplicates for sink in part),
        seconds=seconds,
        done_at=None if seconds is None or seconds >= LONGEST_SECONDS else at + timedelta(seconds=seconds),
        sinks=sinks,
    )


def _sink(
    kind: Kind,
    found: Prospect | None,
    total: int,
    rate: float | None,
    *,
    identity: UUID | None,
    address: str | None,
    duplicates: int = 0,
    left_out: bool = False,
) -> DrySinkBody:
    policy = DEFAULT if found is None else found.policy
    lately = NOTHING_KNOWN if found is None else found.lately
    delivers = kind != "cancel"
    failing = None
    if delivers and lately.failed:
        failing = SinkFailingBody(
            rate=round(lately.failure_rate, 3),
            of=lately.attempts,
            would_die=would_die(total, policy, lately),
            dies_after=format_duration(round(dies_after(policy))),
        )
    return DrySinkBody(
        subscription=identity,
        subscription_name=None if found is None else found.name,
        sink=(address or "") if found is None else found.sink,
        count=total,
        duplicates=duplicates,
        left_out=left_out or (delivers and found is not None and not found.takes),
        state="active" if found is None else found.state,
        circuit="closed" if found is None else found.circuit,
        failing=failing,
        rate_per_second=lowest_rate(policy, rate) if delivers else None,
        seconds=seconds_for(total, policy, rate, lately) if delivers else 0.0,
    )


def item(row: "Record") -> ReplayItem:
    """A replay as it is in a list."""
    return ReplayItem.model_construct(**_members(row))


def body(row: "Record", sinks: "Sequence[Record]") -> ReplayBody:
    """A replay with its sinks."""
    return ReplayBody.model_construct(
        **_members(row),
        sinks=[
            ReplaySinkBody.model_construct(
                subscription=sink["subscription_id"],
                subscription_name=sink["name"],
                sink=sink["sink"],
                total=sink["total"],
                opened=sink["opened"],
                skipped=sink["skipped"],
            )
            for sink in sinks
        ],
    )


def _members(row: "Record") -> dict[str, Any]:
    opened, waiting = row["opened"], row["waiting"]
    is_cancel = row["kind"] == "cancel"
    state = row["state"]
    if state == "running" and row["is_read"] and not waiting:
        state = "done"  # whoever works on it says so in a moment
    done = opened if is_cancel else opened - waiting - row["failed"] - row["cancelled"]
    return {
        "id": row["id"],
        "kind": row["kind"],
        "state": state,
        "state_reason": row["state_reason"],
        "reason": row["reason"],
        "select": shown_selection(row["selection"]),
        "to": row["one_off"] or row["target_name"],
        "to_subscription": None if row["one_off"] else row["target"],
        "rate_per_second": row["rate_per_second"],
        "stop_when": None
        if row["stop_of"] is None
        else StopRule(failed=row["stop_failed"], of=row["stop_of"]),
        "total": row["total"],
        "opened": opened,
        "skipped": row["skipped"],
        "waiting": waiting,
        "delivered": 0 if is_cancel else max(0, done),
        "failed": row["failed"],
        "cancelled": opened if is_cancel else row["cancelled"],
        "seconds_left": _seconds_left(row, state, opened + row["skipped"] - waiting),
        "created_by": row["created_by"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
    }


def _seconds_left(row: "Record", state: str, done: int) -> float | None:
    """By how it went until now: what is left takes as long for each as what is done did."""
    if state != "running" or row["total"] is None or done <= 0:
        return None
    took = (datetime.now(UTC) - row["created_at"]).total_seconds()
    seconds: float = took * max(0, row["total"] - done) / done
    return round(seconds, 1)


def shown_selection(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A selection without more ids than anybody reads; `named` says how many there are."""
    shown = dict(kept)
    for name in ("deliveries", "events"):
        if len(named := shown.get(name, ())) > SHOWN:
            shown |= {name: named[:SHOWN], "named": len(named)}
    return shown
