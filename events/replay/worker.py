"""The work on one replay: opens what it selected, sink by sink, until there is nothing more to open."""

import asyncio
import logging
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from events.replay import queries
from events.replay.pace import FIRST, Pace
from shared.audit.by import by_weir
from shared.audit.record import record
from shared.core.ids import delivery_id
from shared.replays import opening
from shared.replays.matching import Matching
from shared.replays.queries import deliveries, events
from shared.replays.selection import Selection
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

LEASE_SECONDS = 15.0
ROUND_SECONDS = 0.05
IDLE_ROUND_SECONDS = 0.5
IDLE_SECONDS = 30.0
"""With nothing to do for so long it is left to the tick: what waits for a sink that is away need not keep anybody up."""

PAGE = 500
"""How many rows one transaction opens at most, and looks through for those that match."""

LONGEST_SECONDS = 365 * 86_400.0
"""However slow a rate is, after that the next one goes out."""

ORDER_KEY_CHARACTERS = 200
TRIED = 2_000

logger = logging.getLogger("weir.replay")


class Worker:
    """Works on one replay as long as its lease is ours and there is something to do."""

    def __init__(self, resources: Resources, row: "Record") -> None:
        self._resources = resources
        self._row = row
        self._id: UUID = row["id"]
        self._epoch: int = row["epoch"]
        self._project: UUID = row["project_id"]
        self._selection = Selection.from_json(self._project, row["selection"])
        self._matching = Matching(self._selection)
        self._paces: dict[UUID, Pace] = {}
        self._unread: set[UUID] = set()
        self.is_ending = False

    async def run(self, until: float) -> float | None:
        """Work until that moment (monotonic); in how many seconds to go on, None for when the tick comes, or not at all.

        Who goes on begins with a token. So nobody does before the rate has one, not even after a crash.
        """
        busy_at = time.monotonic()
        while (now := time.monotonic()) < until and not self.is_ending:
            moved = await self._round()
            if moved is None:
                return None
            if moved:
                busy_at = now
            elif now - busy_at > IDLE_SECONDS:
                return await self._release() or None
            await asyncio.sleep(ROUND_SECONDS if now - busy_at < 1 else IDLE_ROUND_SECONDS)
        return await self._release()

    async def _release(self) -> float:
        """Let others go on, not before the rate allows it; in how many seconds it does."""
        now, rate = time.monotonic(), self._rate
        waits = [] if self._row["kind"] == "cancel" else [self._pace(s).wait(now, rate) for s in self._unread]
        wait = min(max(waits, default=0.0), LONGEST_SECONDS)
        await queries.release(await self._resources.pg(), self._id, self._epoch, wait)
        return wait

    @property
    def _lease_seconds(self) -> float:
        """Until somebody else may open the next one."""
        if self._rate is None or self._row["kind"] == "cancel":
            return LEASE_SECONDS
        return max(LEASE_SECONDS, min(1 / self._rate, LONGEST_SECONDS))

    @property
    def _rate(self) -> float | None:
        rate: float | None = self._row["rate_per_second"]
        return rate

    async def _round(self) -> bool | None:
        """Open what may be; whether anything was, None when there is nothing more to do here."""
        pool = await self._resources.pg()
        sinks = await queries.sinks(pool, self._id)
        waiting = {}
        if self._row["kind"] != "cancel":
            waiting = await queries.waiting(pool, self._project, self._id)
            if await self._is_to_stop():
                return None
        moved = False
        self._unread = {sink["id"] for sink in sinks if not sink["is_read"]}
        for sink in sinks:
            ended = sink["opened"] - waiting.get(sink["id"], 0)
            pace = self._pace(sink["id"])
            pace.observe(time.monotonic(), ended, waiting.get(sink["id"], 0))
            if sink["is_read"]:
                continue
            room = PAGE
            if self._row["kind"] != "cancel":
                room = pace.room(time.monotonic(), self._rate, waiting.get(sink["id"], 0))
            if room > 0:
                opened = await self._open(sink, min(room, PAGE))
                if opened is None:
                    return None
                pace.opened(opened)
                moved = True
        if moved:
            return True
        if not waiting and all(sink["is_read"] for sink in sinks):
            await self._finish()
            return None
        async with pool.acquire() as conn:
            return None if await self._keep(conn) is None else False

    def _pace(self, sink: UUID) -> Pace:
        if sink not in self._paces:
            first = FIRST if self._row["stop_of"] is None else self._row["stop_of"]
            self._paces[sink] = Pace(time.monotonic(), first)
        return self._paces[sink]

    async def _keep(self, conn: "Connection", seconds: float = LEASE_SECONDS) -> "Record | None":
        """Hold on to the replay; None when somebody paused or ended it, or has it now."""
        row = await queries.keep(conn, self._id, self._epoch, seconds)
        if row is not None:
            self._row = row
        return row

    async def _open(self, sink: "Record", room: int) -> int | None:
        """Open at most `room` of what follows the sink's cursor; how many were, None when it is not ours any more."""
        pool = await self._resources.pg()
        async with pool.acquire() as conn, conn.transaction():
            if await self._keep(conn, self._lease_seconds) is None:
                return None
            if self._row["kind"] == "replay":
                opened = await self._deliver(conn, sink, room)
            else:
                opened = await self._change(conn, sink, room)
        if opened is not None and opened.shards:
            self._resources.wake.shards(opened.shards)
        return None if opened is None else opened.count

    async def _change(self, conn: "Connection", sink: "Record", room: int) -> opening.Opened:
        """Open deliveries again, or cancel them."""
        row, matching = self._row, self._matching
        selection = replace(self._selection, subscriptions=(sink["id"],), left_out=())
        limit = room if matching.needs == "keys" else PAGE
        rows = await deliveries(
            conn,
            selection,
            _after(sink["cursor"], row["low"]),
            row["high"],
            row["created_at"],
            needs=matching.needs,
            limit=limit,
        )
        passed = matching.passing(rows)[:room]
        ids = [found["cursor"] for found in passed]
        if row["kind"] == "cancel":
            opened = await opening.cancel(conn, self._project, ids)
        else:
            opened = await opening.reopen(conn, self._project, self._id, ids, selection.statuses)
        await self._advance(conn, sink, rows, passed, room=room, opened=opened.count)
        return opened

    async def _deliver(self, conn: "Connection", sink: "Record", room: int) -> opening.Opened | None:
        """Make new deliveries of stored events."""
        row, matching = self._row, self._matching
        to = await queries.subscription(conn, self._project, sink["id"])
        if to is None or to["state"] == "disabled":
            await self._pause(conn, f"the subscription was {'deleted' if to is None else 'disabled'}")
            return None
        rows = await events(
            conn,
            self._selection,
            _after(sink["cursor"], row["low"]),
            row["high"],
            row["created_at"],
            needs=matching.needs,
            limit=room if matching.needs == "keys" else PAGE,
        )
        passed = matching.passing(rows)[:room]
        made = {
            delivery_id(found["uid"], sink["id"], self._id.bytes): (
                found["uid"],
                found["shard"],
                self._order_key(found) if to["is_ordered"] else None,
                found["position"] if to["is_ordered"] else None,
            )
            for found in passed
        }
        shards: list[int] = []
        if made:
            values = [(identity, *members) for identity, members in made.items()]
            shards = await queries.insert(
                conn, self._project, sink["id"], to["version"], replay_id=self._id, rows=values
            )
        await self._advance(conn, sink, rows, passed, room=room, opened=len(shards))
        return opening.Opened(len(shards), frozenset(shards))

    def _order_key(self, found: "Record") -> str | None:
        """An order of the replay's own: what is live does not wait for it."""
        key = found["partition_key"]
        return None if key is None else f"{self._id}:{key[:ORDER_KEY_CHARACTERS]}"

    async def _advance(
        self,
        conn: "Connection",
        sink: "Record",
        rows: "list[Record]",
        passed: "list[Record]",
        *,
        room: int,
        opened: int,
    ) -> None:
        """Note how far this came: to the last that was opened, or looked at if all that matched was."""
        last = passed[-1] if len(passed) == room else rows[-1] if rows else None
        await queries.advance(
            conn,
            self._id,
            sink["id"],
            sink["cursor"] if last is None else last["cursor"],
            opened=opened,
            skipped=0 if self._row["kind"] == "replay" else len(passed) - opened,
            is_read=last is None,
        )

    async def _is_to_stop(self) -> bool:
        """Pause it if more than it may have failed of the last that were tried at one sink; whether that was so."""
        failed, of = self._row["stop_failed"], self._row["stop_of"]
        if of is None:
            return False
        pool = await self._resources.pg()
        tried: Counter[UUID] = Counter()
        wrong: Counter[UUID] = Counter()
        for row in await queries.tried(pool, self._project, self._id, TRIED):
            sink = row["subscription_id"]
            if tried[sink] < of:
                tried[sink] += 1
                wrong[sink] += row["failed"]
        worst = max(wrong, key=lambda sink: wrong[sink], default=None)
        if worst is None or wrong[worst] <= failed:
            return False
        async with pool.acquire() as conn, conn.transaction():
            if await self._keep(conn) is not None:
                name = await queries.name(conn, self._project, worst)
                await self._pause(conn, f"{wrong[worst]} of the last {tried[worst]} to {name} failed")
        return True

    async def _pause(self, conn: "Connection", reason: str) -> None:
        await self._turn(conn, "paused", reason, "replay.stopped")

    async def _finish(self) -> None:
        """It is done: everything was opened, and has ended."""
        pool = await self._resources.pg()
        async with pool.acquire() as conn, conn.transaction():
            if await self._keep(conn) is None:
                return
            await queries.settle_totals(conn, self._id)
            await queries.drop_one_off(conn, self._id)
            await self._turn(conn, "done", None, "replay.done")

    async def _turn(self, conn: "Connection", state: str, reason: str | None, action: str) -> None:
        row = await queries.turn(conn, self._id, state, reason)
        await record(
            conn,
            by_weir("replay"),
            action,
            project_id=self._project,
            id=self._id,
            name=row["reason"],
            before={"state": "running"},
            after={"state": state, "stateReason": reason, "opened": row["opened"]},
        )
        logger.info("replay %s is %s%s", self._id, state, "" if reason is None else f": {reason}")


def _after(cursor: UUID, low: UUID) -> UUID:
    """Where to go on: the first time at the beginning, which may be a row itself."""
    return low if cursor == low else UUID(int=cursor.int + 1)
