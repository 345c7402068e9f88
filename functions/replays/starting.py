"""Keeping a replay, and doing at once what is little of it."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from functions.replays import answer, queries
from functions.replays.planning import Plan
from shared.audit.by import By
from shared.audit.masks import without_subjects
from shared.audit.record import record
from shared.core.ids import uuid7
from shared.replays.matching import Matching
from shared.replays.opening import NOTHING, Opened, cancel, reopen
from shared.replays.queries import deliveries

if TYPE_CHECKING:
    from asyncpg import Connection, Record

AT_ONCE = 100
"""So many deliveries are opened right away, where neither a rate nor a stop rule says that they should wait."""


async def start(conn: "Connection", by: By, identity: UUID, plan: Plan, members: dict[str, Any]) -> Opened:
    """Keep the replay, and do at once what is little."""
    project_id, draft = plan.selection.project_id, plan.draft
    target, target_name = plan.target, plan.target_name
    if draft.address is not None:
        target = uuid7()
        host = (urlsplit(draft.address).hostname or "sink")[:150]
        target_name = f"{host} (once, {str(identity)[-12:]})"
        await queries.add_one_off(conn, project_id, identity, target, name=target_name, sink=draft.address)
    totals: dict[UUID, int | None] = {}
    for key, total in plan.totals.items():
        sink = target if key is None else key
        assert sink is not None
        totals[sink] = total if plan.count.is_exact else None
    counted = sum(plan.totals.values()) if plan.count.is_exact else None
    await queries.insert(
        conn,
        project_id,
        identity,
        {
            "kind": draft.kind,
            "selection": plan.selection.as_json(),
            "low": plan.low,
            "high": plan.high,
            "target": target,
            "target_name": target_name,
            "one_off": draft.address,
            "total": counted,
            "created_by": f"{by.kind}:{by.id}",
            "created_at": plan.frozen_at,
            **members,
        },
    )
    await queries.insert_sinks(conn, project_id, identity, plan.low, totals)
    opened = await _at_once(conn, identity, plan, members.get("rate_per_second"), members.get("stop_of"))
    if not totals:
        await queries.set_state(conn, project_id, identity, "done", None)
    await record(
        conn,
        by,
        "replay.started",
        project_id=project_id,
        id=identity,
        name=members["reason"],
        after={
            "kind": draft.kind,
            "select": without_subjects(answer.shown_selection(plan.selection.as_json())),
            "to": draft.address or target_name,
            "total": counted,
            "ratePerSecond": members.get("rate_per_second"),
            "reason": members["reason"],
        },
    )
    return opened


async def _at_once(
    conn: "Connection", identity: UUID, plan: Plan, rate: float | None, stop_of: int | None
) -> Opened:
    """Do what is little right here: nobody waits for a job that has one delivery to open."""
    total, kind = sum(plan.totals.values()), plan.draft.kind
    little = min(AT_ONCE, rate or AT_ONCE, stop_of or AT_ONCE)
    if kind == "replay" or not plan.count.is_exact or not 0 < total <= little:
        return NOTHING
    selection, project_id = plan.selection, plan.selection.project_id
    matching = Matching(selection)
    rows: list[Record] = []
    low = plan.low
    while page := await deliveries(
        conn, selection, low, plan.high, plan.frozen_at, needs=matching.needs, limit=10 * AT_ONCE
    ):
        rows += matching.passing(page)
        low = UUID(int=page[-1]["cursor"].int + 1)
    shards: frozenset[int] = frozenset()
    count = 0
    for sink, counted in plan.totals.items():
        assert sink is not None
        ids = [row["cursor"] for row in rows if row["subscription_id"] == sink]
        if kind == "cancel":
            opened = await cancel(conn, project_id, ids)
        else:
            opened = await reopen(conn, project_id, identity, ids, selection.statuses)
        await queries.opened(
            conn, project_id, identity, sink, count=opened.count, skipped=max(0, counted - opened.count)
        )
        shards |= opened.shards
        count += opened.count
    return Opened(count, shards)
