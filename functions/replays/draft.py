"""From what a client said of a replay to what can be looked for: pure, and it names everything wrong at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from functions.replays.schemas import CancellationRequest, ReplayRequest, ReplaySelect
from shared.core.delivery import InvalidPolicy, check_sink
from shared.core.problems import INVALID, Fault, Problem
from shared.replays.selection import ENDED, STATUSES, Kind, Selection

T = TypeVar("T")

SCHEME = re.compile("[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""What begins so is meant as an address, of whichever kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is asked for. `subscriptions` and `to` are ids or names yet, `address` is one without a subscription."""

    kind: Kind
    selection: Selection
    subscriptions: tuple[str, ...]
    to: str | None = None
    address: str | None = None


def read_draft(project_id: UUID, body: ReplayRequest | CancellationRequest) -> Draft:
    """The draft in `body`. Raises Problem 422 with a pointer to each member that cannot be."""
    faults: list[Fault] = []
    kind: Kind = "cancel"
    to = address = None
    if isinstance(body, ReplayRequest):
        kind = "retry" if body.to is None else "replay"
        if body.to is not None and SCHEME.match(body.to):
            address = body.to
            faults += _address_faults(address)
        else:
            to = body.to
        stop = body.stop_when
        if stop is not None and stop.failed >= stop.of:
            faults.append(Fault("/stopWhen/failed", "must be less than `of`, or it never stops"))
    statuses, more = _statuses(kind, body.select)
    faults += more
    faults += _select_faults(kind, body.select)
    if faults:
        raise Problem(INVALID, "The request has values that cannot be used.", errors=faults)
    select = body.select
    selection = Selection(
        project_id=project_id,
        deliveries=_together(select.delivery, select.deliveries),
        events=_together(select.event, select.events),
        statuses=statuses,
        left_out=tuple(body.leave_out),
        since=select.since,
        until=select.until,
        filters=None if select.filters is None else tuple(select.filters),
        types=_several(select.type),
        sinks=_several(select.sink),
        codes=tuple(str(code) for code in _several(select.status_code)),
        error=select.error,
        text=select.q,
    )
    subscriptions = _several(select.subscription)
    return Draft(kind=kind, selection=selection, subscriptions=subscriptions, to=to, address=address)


def _statuses(kind: Kind, select: ReplaySelect) -> tuple[tuple[str, ...], list[Fault]]:
    """The states that are meant; none where it is about events as such."""
    given = [select.status] if isinstance(select.status, str) else select.status
    possible = STATUSES[kind]
    if given is not None:
        if not given:
            return (), [Fault("/select/status", "must name at least one state")]
        words = "cancelled" if kind == "cancel" else "delivered again"
        faults = [
            Fault("/select/status", f"{one} deliveries cannot be {words}; these can: {', '.join(possible)}")
            for one in given
            if one not in possible
        ]
        return tuple(dict.fromkeys(given)), faults
    if kind == "cancel" or select.delivery is not None or select.deliveries is not None:
        return possible, []
    if kind == "retry":
        return possible if select.event is not None or select.events is not None else ENDED, []
    by_delivery = select.subscription, select.sink, select.status_code, select.error, select.q
    return ENDED if any(one is not None for one in by_delivery) else (), []


def _select_faults(kind: Kind, select: ReplaySelect) -> list[Fault]:
    from shared.core.filters import InvalidFilter, compile_filters

    faults: list[Fault] = []
    if not _says_which(kind, select):
        words = "must say which deliveries: delivery, event, status or subscription"
        also = "; or say with `to` where the events go" if kind == "retry" else ""
        faults.append(Fault("/select", words + also))
    deliveries = select.delivery is not None or select.deliveries is not None
    if deliveries and (select.event is not None or select.events is not None):
        faults.append(Fault("/select", "must name deliveries or events, not both"))
    if select.since is not None and select.until is not None and select.until <= select.since:
        faults.append(Fault("/select/until", "must be after since"))
    if select.filters is not None:
        try:
            compile_filters(select.filters)
        except InvalidFilter as error:
            faults.append(Fault(f"/select{error.pointer}", error.detail))
    return faults


def _says_which(kind: Kind, select: ReplaySelect) -> bool:
    """Whether more is said than a time: by mistake nobody means all that there is."""
    said: list[object] = [
        select.delivery,
        select.deliveries,
        select.event,
        select.events,
        select.status,
        select.subscription,
        select.sink,
    ]
    if kind == "cancel":
        said += [select.type, select.filters, select.status_code, select.error, select.q]
    return kind == "replay" or any(one is not None for one in said)


def _address_faults(address: str) -> list[Fault]:
    try:
        check_sink(address, "/to")
    except InvalidPolicy as error:
        return [Fault(error.pointer, error.detail)]
    return []


def _several(given: T | list[T] | None) -> tuple[T, ...]:
    if given is None:
        return ()
    return tuple(dict.fromkeys(given)) if isinstance(given, list) else (given,)


def _together(one: UUID | None, several: Sequence[UUID] | None) -> tuple[UUID, ...]:
    return tuple(sorted({*(() if one is None else (one,)), *(several or ())}))
