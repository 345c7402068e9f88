"""What can be done with replays. Each change is one transaction."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.replays import answer, queries
from functions.replays.draft import Draft, read_draft
from functions.replays.planning import check_named, check_plan, make_plan
from functions.replays.schemas import CancellationRequest, DryRunBody, ReplayBody, ReplayList, ReplayRequest
from functions.replays.starting import start
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.contracts.replay import Replay as Hint
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, Problem
from shared.core.things import id_of, there
from shared.replays.opening import close
from shared.runtime.listing import read_cursor, write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

ALIVE = frozenset({"running", "paused"})
SINKS_WRITE = "subscriptions:write"


class Replays:
    """The use cases, on the stores of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def page(self, access: Access, state: str | None, cursor: str | None, limit: int) -> ReplayList:
        """The project's replays, newest first. Raises Problem 422 for a bad cursor."""
        before = read_cursor(cursor)
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            rows = await queries.replays(conn, access.project_id, state, before, limit + 1)
        after = rows[limit - 1]["id"] if len(rows) > limit else None
        return ReplayList(
            items=[answer.item(row) for row in rows[:limit]],
            next=None if after is None else write_cursor(after),
        )

    async def get(self, access: Access, replay_id: str) -> ReplayBody:
        """One of them. Raises Problem 404."""
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            return await _body(conn, access, id_of(replay_id, "replay"))

    async def start(self, access: Access, by: By, wanted: ReplayRequest) -> ReplayBody | DryRunBody:
        """Deliver again, or count what that comes to.

        Raises Problem 422 for what cannot be, 404 for a subscription, a delivery or an event that is not there, 403 for an
        address without the permission to name sinks, 409 where nothing can be sent.
        """
        draft = read_draft(access.project_id, wanted)
        if draft.address is not None and SINKS_WRITE not in access.permissions:
            raise Problem(
                FORBIDDEN, f"To send events to an address of your own needs the permission {SINKS_WRITE}."
            )
        stop = wanted.stop_when
        return await self._do(
            access,
            by,
            draft,
            wanted,
            {
                "rate_per_second": wanted.rate_per_second,
                "stop_failed": None if stop is None else stop.failed,
                "stop_of": None if stop is None else stop.of,
            },
        )

    async def cancel_deliveries(
        self, access: Access, by: By, wanted: CancellationRequest
    ) -> ReplayBody | DryRunBody:
        """Cancel what waits, or count what that comes to. Raises Problem 422 for what cannot be, and 404."""
        return await self._do(access, by, read_draft(access.project_id, wanted), wanted, {})

    async def change_rate(self, access: Access, by: By, replay_id: str, rate: float | None) -> ReplayBody:
        """From now on at that rate. Raises Problem 404, and 409 when it has ended."""
        identity = id_of(replay_id, "replay")
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            async with conn.transaction():
                row = await _alive(conn, access, identity)
                await queries.set_rate(conn, access.project_id, identity, rate)
                await record(
                    conn,
                    by,
                    "replay.changed",
                    project_id=access.project_id,
                    id=identity,
                    name=row["reason"],
                    before={"ratePerSecond": row["rate_per_second"]},
                    after={"ratePerSecond": rate},
                )
            self._tell(identity)
            return await _body(conn, access, identity)

    async def pause(self, access: Access, by: By, replay_id: str) -> ReplayBody:
        """Open nothing more. Raises Problem 404, and 409 when it has ended."""
        return await self._turn(access, by, replay_id, "paused")

    async def resume(self, access: Access, by: By, replay_id: str) -> ReplayBody:
        """Go on. Raises Problem 404, and 409 when it has ended."""
        return await self._turn(access, by, replay_id, "running")

    async def cancel(self, access: Access, by: By, replay_id: str) -> ReplayBody:
        """End it, and what of it waits. Raises Problem 404, and 409 when it has ended."""
        return await self._turn(access, by, replay_id, "cancelled")

    async def _turn(self, access: Access, by: By, replay_id: str, state: str) -> ReplayBody:
        identity = id_of(replay_id, "replay")
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            async with conn.transaction():
                row = await _alive(conn, access, identity)
                if row["state"] == state:
                    by.changed_nothing()
                else:
                    await queries.set_state(conn, access.project_id, identity, state, None)
                    if state == "cancelled":
                        await close(conn, access.project_id, identity)
                    await record(
                        conn,
                        by,
                        f"replay.{'resumed' if state == 'running' else state}",
                        project_id=access.project_id,
                        id=identity,
                        name=row["reason"],
                        before={"state": row["state"], "stateReason": row["state_reason"]},
                        after={"state": state, "stateReason": None},
                    )
            if state != "paused":
                self._tell(identity)
            return await _body(conn, access, identity)

    async def _do(
        self,
        access: Access,
        by: By,
        draft: Draft,
        wanted: ReplayRequest | CancellationRequest,
        more: dict[str, Any],
    ) -> ReplayBody | DryRunBody:
        rate = more.get("rate_per_second")
        pool = await self._resources.of(access.project_id)
        async with pool.acquire() as conn:
            plan = await make_plan(conn, access, draft)
            await check_named(conn, access, plan)
            if wanted.dry_run:
                by.changed_nothing()
                return answer.dry_run(
                    draft.kind,
                    plan.count,
                    plan.prospects,
                    address=draft.address,
                    rate=rate,
                    left_out=plan.left_out,
                    at=plan.frozen_at,
                )
            await check_plan(conn, access, plan)
            identity = uuid7()
            async with conn.transaction():
                opened = await start(conn, by, identity, plan, {**more, "reason": wanted.reason})
            if opened.shards:
                self._resources.wake.shards(opened.shards)
            self._tell(identity)
            return await _body(conn, access, identity)

    def _tell(self, replay_id: UUID) -> None:
        hint = Hint(replay=replay_id)
        self._resources.wake.tell(Hint.TYPE, hint.model_dump(mode="json", by_alias=True))


async def _body(conn: "Connection", access: Access, replay_id: UUID) -> ReplayBody:
    row = there(await queries.replay(conn, access.project_id, replay_id), "replay")
    return answer.body(row, await queries.sinks(conn, access.project_id, row["id"]))


async def _alive(conn: "Connection", access: Access, replay_id: UUID) -> "Record":
    """One that has not ended, locked. Raises Problem 404 or 409."""
    row = there(await queries.locked(conn, access.project_id, replay_id), "replay")
    if row["state"] not in ALIVE:
        raise Problem(CONFLICT, f"The replay has ended: it is {row['state']}. Start another one.")
    return row
