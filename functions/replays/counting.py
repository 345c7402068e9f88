"""What a selection comes to: how many deliveries at each sink, exactly, or at least so many where that takes too long."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.replays import queries
from functions.replays.estimate import Lately
from shared.core.delivery import DeliveryPolicy, parse_policy
from shared.core.ids import floor
from shared.replays import queries as found
from shared.replays.matching import Matching
from shared.replays.selection import Kind, Selection

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SECONDS = 8.0
"""How long it is counted; then the answer says that there are more."""

PAGE = 1_000
LATELY_MS = 15 * 60_000
"""A sink is judged by what it did in the last quarter of an hour: it may be mended since."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many deliveries go to each subscription (None stands for an address without one), and how many come twice.

    `is_exact` is false where there are more.
    """

    totals: dict[UUID | None, int]
    duplicates: dict[UUID | None, int] = field(default_factory=dict)
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Prospect:
    """A subscription as it is now: `state` is `deleted` where there is none."""

    id: UUID
    name: str | None
    sink: str
    state: str
    circuit: str
    policy: DeliveryPolicy
    lately: Lately

    @property
    def takes(self) -> bool:
        """Whether anything is sent to it, now or when it is resumed."""
        return self.state in {"active", "paused"}


async def count(
    conn: "Connection",
    kind: Kind,
    selection: Selection,
    target: UUID | None,
    *,
    low: UUID,
    high: UUID,
    frozen_at: datetime,
) -> Count:
    """Count what `selection` has between the keys `low` and `high`. `target` is who gets it, if that is a subscription."""
    if low >= high:
        return Count({})
    matching = Matching(selection)
    if matching.needs != "keys":
        return await _by_looking(
            conn, kind, selection, target, matching, low=low, high=high, frozen_at=frozen_at
        )
    import asyncpg

    try:
        async with conn.transaction():
            await conn.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}")
            if kind != "replay":
                rows = await found.count_deliveries(conn, selection, low, high, frozen_at)
                return Count(
                    {row["subscription_id"]: row["count"] for row in rows},
                    {row["subscription_id"]: row["duplicates"] for row in rows if kind == "retry"},
                )
            total = await found.count_events(conn, selection, low, high, frozen_at)
            twice = 0
            if target is not None:
                uids = list(selection.events) or None
                twice = await found.count_delivered(conn, selection.project_id, target, low, high, uids=uids)
            return Count({target: total} if total else {}, {target: min(twice, total)})
    except asyncpg.QueryCanceledError:
        return await _by_looking(
            conn, kind, selection, target, matching, low=low, high=high, frozen_at=frozen_at
        )


async def _by_looking(
    conn: "Connection",
    kind: Kind,
    selection: Selection,
    target: UUID | None,
    matching: Matching,
    *,
    low: UUID,
    high: UUID,
    frozen_at: datetime,
) -> Count:
    """The same, by going through what there is until the time is up."""
    until = monotonic() + SECONDS
    totals: Counter[UUID | None] = Counter()
    twice: Counter[UUID | None] = Counter()
    page: Callable[..., Awaitable[list[Record]]] = found.events if kind == "replay" else found.deliveries
    seen: set[UUID] = set()
    while True:
        rows = await page(conn, selection, low, high, frozen_at, needs=matching.needs, limit=PAGE)
        if not rows:
            return Count(dict(totals), dict(twice))
        passed = matching.passing(rows)
        if kind == "replay":
            uids = [uid for row in passed if (uid := row["uid"]) not in seen]
            seen = set(uids) if selection.is_of_deliveries else seen
            totals[target] += len(uids)
            if target is not None and uids:
                bounds = floor(min(uids).int >> 80), floor((max(uids).int >> 80) + 1)
                twice[target] += await found.count_delivered(
                    conn, selection.project_id, target, *bounds, uids=uids
                )
        else:
            totals.update(row["subscription_id"] for row in passed)
            twice.update(row["subscription_id"] for row in passed if kind == "retry" and row["is_duplicate"])
        low = UUID(int=rows[-1]["cursor"].int + 1)
        if monotonic() > until:
            return Count(dict(totals), dict(twice), is_exact=False)


async def prospects(
    conn: "Connection", project_id: UUID, ids: list[UUID], now: datetime
) -> dict[UUID, Prospect]:
    """What becomes of deliveries to these subscriptions now, as far as one can tell."""
    if not ids:
        return {}
    since = floor(int(now.timestamp() * 1000) - LATELY_MS)
    rows = await queries.prospects(conn, project_id, ids, since)
    return {identity: _prospect(identity, row) for identity, row in rows.items()}


def _prospect(identity: UUID, row: Any) -> Prospect:
    attempts, delivered = row["attempts"], row["delivered"]
    return Prospect(
        id=identity,
        name=row["name"],
        sink=row["sink"] or "",
        state=row["state"] or "deleted",
        circuit=row["circuit"] or "closed",
        policy=parse_policy(row["delivery"] or {}),
        lately=Lately(attempts, max(0, attempts - delivered), row["answer_seconds"]),
    )
