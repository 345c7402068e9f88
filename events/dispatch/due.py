"""Deliveries that wait as rows: retries, those that found no slot, the first of each order, dead letters, repeats."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from events.dispatch import endings, queries
from events.dispatch.clock import DatabaseClock
from events.dispatch.gates import Gates
from events.dispatch.orders import Order
from events.dispatch.queries import Kind, Lane
from events.dispatch.recorder import Recorder
from events.dispatch.subscriptions import Subscription, SubscriptionCache
from events.dispatch.work import Change, Ending, Job, Shard
from shared.core.shares import divide
from shared.runtime.resources import Resources
from shared.sending.message import message_of

if TYPE_CHECKING:
    from asyncpg import Record

GAP_SECONDS = 0.02
WAKE_GAP_SECONDS = 0.2
"""A wake may mean that held deliveries were let go, so it is looked for those too, but not at every wake."""

BACKLOG_SECONDS = 0.05
ROOM = 32
ROWS = 512
REPEATS = 256
REPEATS_BESIDE = 32
"""How many repeats one look brings at most; and while events come, so that those, of whatever sink, have their turn soon."""

BESIDE_SECONDS = 0.001
"""Between two of those: started at once, they would hold up what comes by as long as it takes to start them all."""

FOLLOWERS = 32
FOLLOWER_BYTES = 16 * 1024
FRESH_SECONDS = 2.0
"""How long what was read of a waiting delivery is good for: its subscription may change."""

NOT_KEPT: tuple[Job | None, float] = (None, 0.0)
SELDOM: tuple[Kind, ...] = ("letters", "repeats")
"""Looked for only when one may be due: most subscriptions have none."""

logger = logging.getLogger("weir.dispatch")


class DueDeliveries:
    """Brings rows whose time has come to their gates.

    `under_way` has the jobs that stand for rows, from before their request starts until its outcome is on
    disk: a row is never fetched while it is in there. Neither is one for which something else was decided
    that is not on disk yet.
    """

    def __init__(
        self,
        resources: Resources,
        shards: dict[int, Shard],
        gates: Gates,
        subscriptions: SubscriptionCache,
        recorder: Recorder,
        *,
        clock: DatabaseClock,
    ) -> None:
        self._resources = resources
        self._shards = shards
        self._gates = gates
        self._subscriptions = subscriptions
        self._recorder = recorder
        self._clock = clock
        self.under_way: dict[UUID, Job] = {}
        self.is_live: Callable[[], bool] = lambda: False
        """Whether events come in these moments."""

        self._decided: dict[UUID, Shard] = {}
        self._kicked = asyncio.Event()
        self._next = float("inf")
        self._looking = False
        self._looked_at = float("-inf")
        self._after: dict[Kind, UUID] = dict.fromkeys(queries.KINDS, queries.NIL)
        self._seldom_at: dict[Kind, float] = dict.fromkeys(SELDOM, float("-inf"))
        self._seldom_of: dict[Kind, set[int]] = {kind: set() for kind in SELDOM}
        self._served = Lane(queries.NIL, "live")
        self._saturated: set[UUID] = set()
        self._brought: set[UUID] = (
            set()
        )  # or written since the last look began: it may find them all the same
        gates.around.room = self._has_room
        gates.around.room_for_repeats = self._has_room_for_repeats
        gates.around_dead_letters.room = self.letters_at
        gates.around.shed = gates.around_dead_letters.shed = self._shed

    @property
    def due_in(self) -> float:
        """Seconds until the next delivery is due; infinity when none waits, 0 while that is being looked for."""
        return 0.0 if self._looking else self._next - time.monotonic()

    def at(self, seconds_from_now: float) -> None:
        """Something is due then."""
        moment = time.monotonic() + seconds_from_now
        if moment < self._next:
            self._next = moment
            self._kicked.set()

    def kind_at(self, kind: Kind, seconds_from_now: float) -> None:
        """Something of that kind is due then."""
        if kind != "live":
            self._seldom_at[kind] = min(self._seldom_at[kind], time.monotonic() + seconds_from_now)
        self.at(seconds_from_now)

    def letters_at(self, seconds_from_now: float) -> None:
        """A dead letter is due then."""
        self.kind_at("letters", seconds_from_now)

    def _has_room(self, seconds_from_now: float) -> None:
        """A gate has room then for what is live, and behind it for repeats."""
        self.kind_at("repeats", seconds_from_now)

    def _has_room_for_repeats(self) -> None:
        """While events come, repeats wait for the next look."""
        self.kind_at("repeats", BACKLOG_SECONDS if self.is_live() else 0)

    def planned(self, ending: Ending, now: float, replay_id: UUID | None = None) -> None:
        """A row that waits is on disk; `now` is in Unix seconds."""
        if ending.next_attempt_at is not None:
            kind: Kind = "letters" if ending.status == "dead" else "live" if replay_id is None else "repeats"
            self.kind_at(kind, ending.next_attempt_at - now)

    def look(self) -> None:
        """Look soon: something may have become due without our doing."""
        self.kind_at("repeats", max(0.0, self._looked_at + WAKE_GAP_SECONDS - time.monotonic()))

    def recorded(self, changes: Iterable[Change]) -> None:
        """These are on disk now: what comes of them later is fetched again."""
        now = time.time()
        for change in changes:
            self.under_way.pop(change.delivery_id, None)
            self._decided.pop(change.delivery_id, None)
            self.planned(change.ending, now, change.replay_id)

    def lose(self, shard: Shard) -> None:
        """A shard is lost: its rows are somebody else's."""
        for held in self._seldom_of.values():
            held.discard(shard.number)
        for key in [key for key, job in self.under_way.items() if job.shard is shard]:
            del self.under_way[key]
        for key in [key for key, of in self._decided.items() if of is shard]:
            del self._decided[key]

    def forget(self) -> None:
        """Nothing is leased any more."""
        self.under_way.clear()
        self._decided.clear()
        self._forget_seldom()
        self._next = float("inf")

    def _forget_seldom(self) -> None:
        for held in self._seldom_of.values():
            held.clear()

    async def waits_within(self, seconds: float, shards: Collection[int]) -> bool:
        """Whether a row of `shards` is due within that time, whoever holds them."""
        pool = await self._resources.pg()
        for kind in queries.KINDS:
            waiting, _ = await queries.waiting(pool, shards, [], kind=kind)
            if any(due_in <= seconds for due_in in waiting.values()):
                return True
        return False

    async def step(self) -> None:
        """Wait until something is due, and bring it on its way."""
        while (wait := max(self.due_in, self._looked_at + GAP_SECONDS - time.monotonic())) > 0:
            self._kicked.clear()
            try:
                async with asyncio.timeout(None if wait == float("inf") else wait):
                    await self._kicked.wait()
            except TimeoutError:
                continue
        self._looked_at = time.monotonic()
        later = [at for at in self._seldom_at.values() if at > self._looked_at]
        self._next = min(later, default=float("inf"))
        self._looking = True
        try:
            await self._look()
        except BaseException:
            self._forget_seldom()
            self._next = self._looked_at + WAKE_GAP_SECONDS
            raise
        finally:
            self._looking = False

    async def _look(self) -> None:
        held = {number: shard for number, shard in self._shards.items() if not shard.leaving}
        if not held:
            return
        self._brought.clear()
        now = time.monotonic()
        may_be = [k for k in SELDOM if self._seldom_at[k] <= now or not self._seldom_of[k].issuperset(held)]
        lanes = await self._due(held, "live")
        for kind in may_be:
            self._seldom_at[kind], self._seldom_of[kind] = float("inf"), set(held)
            lanes += await self._due(held, kind)
        rooms = self._rooms(lanes)
        if not rooms:
            return
        open_to = {lane: self._open_to(lane, held) for lane in rooms}
        rows = await self._fetch(rooms, open_to)
        found = dict.fromkeys(rooms, 0)
        for row in rows:
            found[_lane_of(row)] += 1
            await self._bring(row, held[row["shard"]])
            if row["replay_id"] is not None and self.is_live():
                await asyncio.sleep(BESIDE_SECONDS)
        await self._follow(
            {(r["subscription_id"], r["order_key"]) for r in rows if r["order_key"] is not None}
        )
        for lane, count in found.items():
            self._again(lane, BACKLOG_SECONDS if count else WAKE_GAP_SECONDS)
            if lane.dead_letters:
                continue
            if lane.kind == "repeats":
                pass  # they are in nobody's way
            elif count >= rooms[lane]:
                self._saturated.add(lane.subscription_id)
            else:
                self._relax(lane.subscription_id)
            if not count and len(open_to[lane]) == len(held):
                # It is due, but others of its order come first.
                self._recorder.put_in_order(lane.subscription_id)

    async def _due(self, held: Collection[int], kind: Kind) -> list[Lane]:
        """What has something that is due; of the rest it is noted when. With very many subscriptions, a part at a time."""
        pool = await self._resources.pg()
        asked, after = time.monotonic(), self._after[kind]
        waiting, now = await queries.waiting(
            pool, held, self._taken(), kind=kind, after=after, limit=queries.WAITING_LIMIT
        )
        if now is not None and (set_back := self._clock.observe(now, asked)):
            logger.warning("the database's clock was set back by %.0f s", set_back)
            await queries.bring_forward(pool, held, set_back)
            for each in queries.KINDS:
                self.kind_at(each, 0)
            return []
        is_part = len(waiting) >= queries.WAITING_LIMIT
        last = next(reversed(waiting)).subscription_id if is_part else queries.NIL
        self._after[kind] = last
        if is_part or after != queries.NIL:
            self._again(Lane(last, kind), BACKLOG_SECONDS)
        if kind == "live":
            for subscription_id in list(self._saturated):
                is_seen = after < subscription_id and (not is_part or subscription_id <= last)
                if is_seen and Lane(subscription_id, kind) not in waiting:
                    self._relax(subscription_id)
        for lane, due_in in waiting.items():
            if due_in > 0:
                # The answer may have taken a while: rather too early than too late.
                self._again(lane, max(0.0, asked + due_in - time.monotonic()))
        return [lane for lane, due_in in waiting.items() if due_in <= 0]

    def _again(self, lane: Lane, seconds: float) -> None:
        self.kind_at(lane.kind, seconds)

    async def _fetch(self, rooms: dict[Lane, int], open_to: dict[Lane, frozenset[int]]) -> "list[Record]":
        """What is due in the shards that each lane is open to: together, what is open to the same ones."""
        pool = await self._resources.pg()
        together: dict[frozenset[int], dict[Lane, int]] = {}
        for lane, room in rooms.items():
            together.setdefault(open_to[lane], {})[lane] = room
        rows: list[Record] = []
        for numbers in sorted(together, key=len, reverse=True):
            if numbers:
                rows += await queries.due(pool, together[numbers], numbers, self._taken())
        return rows

    def _open_to(self, lane: Lane, held: dict[int, Shard]) -> frozenset[int]:
        """The shards but those that it would keep from being given away."""
        gate = self._gates.find(lane.subscription_id, dead_letters=lane.dead_letters)
        if gate is None:
            return frozenset(held)
        return frozenset(number for number, shard in held.items() if not gate.outlasts(shard))

    def _rooms(self, lanes: Iterable[Lane]) -> dict[Lane, int]:
        """How many rows to fetch of each of `lanes`: in even parts, if all that have room have more than `ROWS`.

        Where there is less than one for each, those come first that come after the last that got some. Repeats get what is
        left.
        """
        wanted = {lane: room for lane in lanes if (room := self._room(lane)) > 0}
        repeats = {lane: room for lane, room in wanted.items() if lane.kind == "repeats"}
        if not repeats:
            return self._shared_out(wanted)
        rooms = self._shared_out({lane: room for lane, room in wanted.items() if lane not in repeats})
        left = min(REPEATS_BESIDE if self.is_live() else REPEATS, ROWS - sum(rooms.values()))
        if sum(repeats.values()) > left:
            self.kind_at("repeats", BACKLOG_SECONDS)
            repeats = divide(repeats, left) if left else {}
        return rooms | repeats

    def _shared_out(self, wanted: dict[Lane, int]) -> dict[Lane, int]:
        if sum(wanted.values()) <= ROWS:
            return wanted
        self.letters_at(BACKLOG_SECONDS)
        rooms = divide({lane: wanted[lane] for lane in sorted(wanted, key=self._is_served_last)}, ROWS)
        self._served = next(reversed(rooms))
        return rooms

    def _is_served_last(self, lane: Lane) -> tuple[bool, Lane]:
        return lane <= self._served, lane

    async def _follow(self, orders: set[Order]) -> None:
        """Have at hand what comes after the first of `orders`: it need not be looked for one by one."""
        if not orders:
            return
        pool = await self._resources.pg()
        rows = await queries.followers(pool, orders, FOLLOWERS, FOLLOWER_BYTES, ROWS)
        fresh_until = time.monotonic() + FRESH_SECONDS
        for row in rows:
            shard = self._shards.get(row["shard"])
            gate = self._gates.find(row["subscription_id"])
            if shard is None or gate is None or row["delivery_id"] in self.under_way:
                continue
            if len(shard.followers) >= ROWS:
                now = time.monotonic()
                shard.followers = {key: kept for key, kept in shard.followers.items() if kept[1] > now}
            if len(shard.followers) < ROWS:
                job = Job(
                    shard,
                    gate.subscription,
                    message_of(row),
                    row["delivery_id"],
                    order_key=row["order_key"],
                    replay_id=row["replay_id"],
                )
                shard.followers[job.delivery_id] = (job, fresh_until)

    def stands_for(self, job: Job) -> None:
        """A row is written for what is under way: it is not to be brought, not even by a look that has begun before."""
        self.under_way[job.delivery_id] = job
        self._brought.add(job.delivery_id)

    def next_in_order(self, promoted: Iterable[tuple[int, UUID]]) -> None:
        """Bring what is the first of its order now: from memory, or soon from the database."""
        now = time.monotonic()
        for number, delivery_id in promoted:
            shard = self._shards.get(number)
            job, fresh_until = shard.followers.pop(delivery_id, NOT_KEPT) if shard is not None else NOT_KEPT
            if delivery_id in self.under_way or delivery_id in self._decided:
                continue  # a look found it due before this was told
            if job is None or now > fresh_until or job.shard.leaving:
                self.kind_at("repeats", 0)  # it may be one
                continue
            gate = self._gates.of(job.subscription)
            if (
                gate.subscription.version != job.subscription.version
                or self._room(Lane(job.subscription.id, _kind_of(job))) <= 0
            ):
                self.kind_at(_kind_of(job), 0)
                continue
            self.stands_for(job)
            gate.put(job)

    def _room(self, lane: Lane) -> int:
        """A gate that has none says when it has some again."""
        gate = self._gates.find(lane.subscription_id, dead_letters=lane.dead_letters)
        if gate is not None:
            return gate.room_for_repeats if lane.kind == "repeats" else gate.room_for_rows
        if not lane.dead_letters and (held_for := self._gates.held_for(lane.subscription_id)):
            self._again(lane, held_for)
            return 0
        return ROOM

    def _shed(self, job: Job) -> None:
        """Its row is still due, here or where its shard goes."""
        self.under_way.pop(job.delivery_id, None)
        self.kind_at(_kind_of(job), WAKE_GAP_SECONDS)

    def _relax(self, subscription_id: UUID) -> None:
        """Its backlog is on its way: new events may go to its gate directly again."""
        self._saturated.discard(subscription_id)
        gate = self._gates.find(subscription_id)
        if gate is not None:
            gate.saturated = False

    def _taken(self) -> list[UUID]:
        return [*self.under_way, *self._decided]

    async def _bring(self, row: "Record", shard: Shard) -> None:
        """Bring a row of `shard` that was found when the shard was ours."""
        subscribers = await self._subscriptions.get(row["project_id"], row["version"])
        subscription = subscribers.by_id.get(row["subscription_id"])
        if shard.lost or shard.leaving:
            return
        if row["delivery_id"] in self._brought or row["delivery_id"] in self.under_way:
            return  # from memory, or ended, while this was looked for
        shard.followers.pop(row["delivery_id"], None)
        if row["status"] == "dead":
            self._bring_dead_letter(row, shard, subscription)
        elif subscription is None or subscription.state == "disabled" or row["uid"] is None:
            ending = endings.cancelled(row["attempt_count"], time.time(), row)
            self._change(row, shard, subscription, ending)
        elif subscription.state == "paused":
            self._change(row, shard, subscription, endings.held(row["status"], row["attempt_count"], row))
        else:
            self._put(row, shard, subscription, row["attempt_count"] + 1, None)

    def _bring_dead_letter(self, row: "Record", shard: Shard, subscription: Subscription | None) -> None:
        told = row["dead_letter"] or {}
        if subscription is None or subscription.dead_letter_url is None or row["uid"] is None:
            ending = Ending("dead", row["attempt_count"], dead_letter={**told, "status": "failed"})
            self._change(row, shard, subscription, ending)
            return
        self._put(row, shard, subscription, row["attempt_count"], told)

    def _put(
        self,
        row: "Record",
        shard: Shard,
        subscription: Subscription,
        attempt: int,
        dead_letter: dict[str, Any] | None,
    ) -> None:
        job = Job(
            shard,
            subscription,
            message_of(row),
            row["delivery_id"],
            attempt=attempt,
            order_key=row["order_key"],
            dead_letter=dead_letter,
            replay_id=row["replay_id"],
            attempts_before=row["attempts_before"],
        )
        self.under_way[job.delivery_id] = job
        self._gates.of_job(job).put(job)

    def _change(self, row: "Record", shard: Shard, subscription: Subscription | None, ending: Ending) -> None:
        self._decided[row["delivery_id"]] = shard
        self._recorder.change(
            Change(
                shard,
                row["delivery_id"],
                subscription,
                row["project_id"],
                ending,
                row["order_key"],
                replay_id=row["replay_id"],
            )
        )


def _kind_of(job: Job) -> Kind:
    if job.dead_letter is not None:
        return "letters"
    return "live" if job.replay_id is None else "repeats"


def _lane_of(row: "Record") -> Lane:
    if row["status"] == "dead":
        return Lane(row["subscription_id"], "letters")
    return Lane(row["subscription_id"], "live" if row["replay_id"] is None else "repeats")
