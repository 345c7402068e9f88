"""How many requests a sink gets at once and in a second, and whether it gets any."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from events.dispatch.line import Line, most_repeats
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job, Shard
from shared.core.breaker import EVIDENCE, Breaker, State, is_overloaded, is_unwell
from shared.core.concurrency import AdaptiveLimit
from shared.core.retry import HONOURS_RETRY_AFTER, Outcome

HOLD_TOLERANCE_SECONDS = 0.05
"""Clocks of two processes tell the same moment with such a difference."""

QUEUE = 4_096
"""How many deliveries may wait in memory; the reader sees to it that it is seldom reached."""

BATCH_BYTES = 4 * 1024 * 1024
"""How much data goes into one request with several events."""

ROWS_PER_SLOT = 8
"""How many rows may wait in memory for each request that may be under way."""

STEADY_SECONDS = 0.1
"""A sink that answers within this time gets what the queue holds, before anybody loses patience."""

PATIENCE_SECONDS = 0.5
"""What takes longer than this gets a row anyway: so for a sink that always does, the row comes first."""

LONG_SECONDS = 1.0
"""What takes longer than this would keep a shard from its next owner, if it were started shortly before."""

RESTART_LIMIT = 4
"""How many requests at once a sink gets at first when its circuit has closed again."""

Run = Callable[[Job], Awaitable[Outcome | None]]
"""Attempts a delivery; what that says of the sink, None when it says nothing."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a sink. `since` and `until` are Unix seconds; `in_flight_limit` None is as asked for."""

    state: State
    since: float
    until: float | None
    reason: str | None
    in_flight_limit: int | None

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say."""
        return self.state == "closed" and self.in_flight_limit is None

    def is_like(self, other: "Health | None") -> bool:
        """Whether there is no news in it: clocks that are compared twice differ a little."""
        return (
            other is not None
            and (self.state, self.in_flight_limit) == (other.state, other.in_flight_limit)
            and abs((self.until or 0) - (other.until or 0)) < HOLD_TOLERANCE_SECONDS
        )


class Surroundings:
    """What gates ask and tell of the rest of the dispatcher."""

    def __init__(self, run: Run, share: Callable[[], float]) -> None:
        self.run = run
        self.share = share
        """This process's part of every limit: the rest belongs to those who hold the other shards."""

        self.shed: Callable[[Job], None] = lambda _: None
        """Gets a row's job that will not be attempted for now."""

        self.room: Callable[[float], None] = lambda _: None
        """Is told in how many seconds a gate has room again that had none when it was asked."""

        self.room_for_repeats: Callable[[], None] = lambda: None
        """Is told that a gate has room for repeats again."""


class Gate:
    """Deliveries of one subscription on their way: at most `maxInFlight` under way, `ratePerSecond` started.

    A sink that fails for long gets nothing but a probe now and then (`shared.core.breaker`), one that bears
    less gets less (`shared.core.concurrency`), and one that says when to come again is left alone until then.
    What waits meanwhile has used up no attempt. Repeats stay below what is live (`line`).
    """

    def __init__(self, around: Surroundings, subscription: Subscription) -> None:
        self._around = around
        self._line = Line()
        self._workers: set[asyncio.Task[None]] = set()
        self._tokens = 1.0
        now = time.monotonic()
        self._filled_at = now
        self._breaker = Breaker(now, EVIDENCE)
        self._adaptive = AdaptiveLimit()
        self._under_way = 0
        self._heard_at = now
        self._held_since = now
        self._held_until = float("-inf")
        self._held_here = False
        self._reason: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.subscription = subscription
        self.saturated = False
        self.is_wanted = False
        """Whether rows would be brought if there were room."""

        self.wants_repeats = False
        """Whether repeats would be."""

        self.reported: Health | None = None
        """What others were told last; None when there was nothing to tell."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, nothing is under way and nothing is known that has to be remembered."""
        return self._line.is_empty and not self._workers and self.health.is_plain and self.reported is None

    @property
    def limit(self) -> int:
        """How many requests may be under way in this process; at least 1."""
        if self._breaker.state != "closed":
            return 1
        return self._adaptive.within(self._ceiling)

    @property
    def _ceiling(self) -> int:
        return max(1, int(self.subscription.policy.max_in_flight * self._around.share() + 1e-6))

    def _takes(self, now: float) -> float:
        """How many seconds an answer takes, or as long as nothing was heard of what is under way, at least that."""
        silent = now - self._heard_at if self._under_way else 0.0
        return max(self._adaptive.latency, silent)

    @property
    def is_long(self) -> bool:
        """Whether what starts now, or is under way, may well take long."""
        return self._takes(time.monotonic()) > LONG_SECONDS

    def outlasts(self, shard: Shard) -> bool:
        """Whether what starts now may well take long, and longer than all that keeps a shard that is to be given away."""
        if not shard.ending:
            return False
        now = time.monotonic()
        if self._takes(now) <= LONG_SECONDS:
            return False
        silent = now - self._heard_at if self._under_way else 0.0
        takes = self._adaptive.outlook(silent, self.subscription.policy.timeout_seconds)
        return now + takes > shard.busy_until

    def ends(self, job: Job, now: float) -> float:
        """When a request that is under way has probably ended (monotonic)."""
        started_at = now if job.started_at is None else job.started_at
        timeout = job.subscription.policy.timeout_seconds
        return started_at + self._adaptive.outlook(now - started_at, timeout)

    def _shut_for(self, now: float) -> float:
        """In how many seconds a request may start again."""
        return max(self._breaker.wait_seconds(now), self._held_until - now, 0.0)

    @property
    def room(self) -> int:
        """How many more deliveries of new events may be put in."""
        now = time.monotonic()
        latency = self._takes(now)
        if latency > PATIENCE_SECONDS or self._shut_for(now):
            return 0
        pace = QUEUE
        if latency > STEADY_SECONDS:
            pace = int(self.limit * (1 + PATIENCE_SECONDS / latency))
        return min(pace, self._rate_room()) - len(self._line.live)

    @property
    def room_for_rows(self) -> int:
        """How many more deliveries that are rows may be put in. Who finds none is told when there is some."""
        room = self._room_for(self._line.live, self.limit)
        self.is_wanted = room <= 0
        return room

    @property
    def room_for_repeats(self) -> int:
        """The same for repeats: none while something live waits."""
        room = self._room_for(self._line.repeats, most_repeats(self.limit)) if not self._line.live else 0
        self.wants_repeats = room <= 0
        return room

    def _room_for(self, waiting: deque[Job], slots: int) -> int:
        now = time.monotonic()
        if shut_for := self._shut_for(now):
            self._around.room(shut_for)
            return 0 - len(waiting)
        return min(self._slots(now, slots), self._rate_room()) - len(waiting)

    def _slots(self, now: float, slots: int) -> int:
        """Of a sink that says nothing no more is brought than may start: the memory is for the others."""
        if self._under_way and now - self._heard_at > LONG_SECONDS:
            return slots - self._under_way
        return slots * ROWS_PER_SLOT

    def _rate_room(self) -> int:
        """With a rate, no more than goes out within a second: the rest waits on disk."""
        rate = self.subscription.policy.rate_per_second
        return QUEUE if rate is None else max(1, int(rate * self._around.share()))

    def follow(self, subscription: Subscription) -> None:
        """Work by this version from now on. Who changes a subscription wants to see it tried: all is forgotten."""
        if subscription.version > self.subscription.version:
            self._begin_anew()
        if subscription.version >= self.subscription.version:
            self.subscription = subscription

    def found_well(self, moment: float) -> None:
        """The sink took a test at `moment` (monotonic): what had shut it before that counts no more."""
        shut = self._breaker.state != "closed" and self._breaker.since < moment
        held = self._held_until > time.monotonic() and self._held_since < moment
        if shut or held:
            self._begin_anew()
            # As after probes of its own: not everything that waits at once.
            self._adaptive.restart(RESTART_LIMIT)
            self._open()

    def put(self, job: Job) -> None:
        """Attempt `job` as soon as there is a slot and a token."""
        self.follow(job.subscription)
        self._line.put(job)
        if len(self._workers) < self.limit:
            self._employ()

    def hold(self, until: float, *, here: bool = False) -> None:
        """Start nothing before `until` (monotonic); `here` when it was this process that was asked to wait."""
        if until > self._held_until + HOLD_TOLERANCE_SECONDS:
            now = time.monotonic()
            if now >= self._held_until:
                self._held_since = now
            self._held_until = until
            self._held_here = here
            self._shut()

    @property
    def health(self) -> Health:
        """What is known of the sink now."""
        now, offset = time.monotonic(), time.time() - time.monotonic()
        reduced = self._adaptive.within(self._ceiling) if self._adaptive.is_reduced else None
        breaker = self._breaker
        if breaker.state != "closed":
            until = breaker.until + offset if breaker.state == "open" else None
            return Health(breaker.state, breaker.since + offset, until, self._reason, reduced)
        if now < self._held_until and self._held_here:
            return Health("open", self._held_since + offset, self._held_until + offset, self._reason, reduced)
        reason = "it answers late, or says that it gets too much" if reduced is not None else None
        return Health("closed", breaker.since + offset, None, reason, reduced)

    def cancel(self) -> None:
        """End everything, under way or not."""
        self._line.clear()
        if self._timer is not None:
            self._timer.cancel()
        for worker in self._workers:
            worker.cancel()

    async def settle(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        while self._workers:
            await asyncio.wait(self._workers)

    def _begin_anew(self) -> None:
        """Forget all that was found of the sink."""
        self._heard_at = time.monotonic()
        self._breaker = Breaker(self._heard_at, EVIDENCE)
        self._adaptive = AdaptiveLimit()
        self._held_until = float("-inf")
        if self._timer is not None:
            self._timer.cancel()
            self._open()

    def _employ(self) -> None:
        worker = asyncio.get_running_loop().create_task(self._work())
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    def _shut(self) -> None:
        """Let rows go back to where they are kept, and come again when something may start."""
        for job in self._line:
            if job.work is None and not job.withdrawn and job.started_at is None:
                job.withdrawn = True
                self._around.shed(job)
        self._line.drop_withdrawn()
        self.saturated = True
        if self._timer is not None:
            self._timer.cancel()
        wait = self._shut_for(time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(wait, self._open)
        self._around.room(wait)

    def _open(self) -> None:
        self._timer = None
        if self._line.has_next(self.limit) and len(self._workers) < self.limit:
            self._employ()
        self._around.room(0)

    async def _work(self) -> None:
        """Attempt what waits, one after the other, until nothing does or something else has to go on with it."""
        worker = asyncio.current_task()
        try:
            while self._may_go_on() and await self._take_one():
                self._tell_of_room()
        finally:
            # At once, not when the loop has its next turn: what is put in meanwhile would count on this worker, and
            # of several that leave in one turn all would go.
            if worker is not None:
                self._workers.discard(worker)
            self._tell_of_room()

    def _may_go_on(self) -> bool:
        return len(self._workers) <= self.limit and self._line.has_next(self.limit)

    async def _take_one(self) -> bool:
        """Attempt the first that waits, if it still has to be; whether there may be more to do for this worker."""
        if self.subscription.policy.rate_per_second is not None:
            await self._token(self.subscription.policy.rate_per_second)
            if not self._line.has_next(self.limit):
                self._tokens += 1
                return False
        now = time.monotonic()
        if now < self._held_until or not self._breaker.may_start(now):
            return False  # `_open` or the end of a probe goes on
        job = self._line.next()
        if job.withdrawn or job.shard.lost:
            return True
        if now >= job.shard.leased_until:
            # Somebody else may have it by now. The row is fetched again if it is still ours.
            self._around.shed(job)
            return True
        if job.work is None and self.outlasts(job.shard):
            self._around.shed(job)
            return True
        if job.subscription.policy.batch_size > 1 and job.dead_letter is None:
            job.companions = self._companions(job, now)
        self._line.started(job)
        try:
            await self._attempt(job, now)
        finally:
            self._line.ended(job)
        if self._line.has_next(self.limit) and len(self._workers) < self.limit:
            self._employ()
        return True

    def _tell_of_room(self) -> None:
        line, limit = self._line, self.limit
        if self.is_wanted and len(line.live) <= limit:
            self.is_wanted = False
            self._around.room(0)
        # Of these more are brought while half of them still wait: each look costs the same, however many it brings.
        if (
            self.wants_repeats
            and not line.live
            and len(line.repeats) <= most_repeats(limit) * ROWS_PER_SLOT // 2
        ):
            self.wants_repeats = False
            self._around.room_for_repeats()

    async def _attempt(self, job: Job, started: float) -> None:
        breaker, adaptive = self._breaker, self._adaptive
        probe = breaker.started()
        if not self._under_way:
            self._heard_at = started
        self._under_way += 1
        try:
            outcome = await self._around.run(job)
        finally:
            self._under_way -= 1
        if outcome is None:
            self._heard_at = time.monotonic()
            if probe:
                breaker.abandoned()
            return
        now = self._heard_at = time.monotonic()
        overloaded = is_overloaded(outcome, now - started, job.subscription.policy.timeout_seconds)
        adaptive.answered(now, started, len(self._workers), self._ceiling, overloaded=overloaded)
        before = breaker.state
        if is_unwell(outcome):
            breaker.failed(now, probe=probe)
        else:
            breaker.succeeded(now, probe=probe)
        if breaker is not self._breaker:
            return  # it was another sink's
        if breaker.state != before:
            self._turned(outcome)
        asked = outcome.retry_after_seconds
        if asked and outcome.status_code in HONOURS_RETRY_AFTER:
            wait = min(asked, job.subscription.policy.retry_after_max_seconds)
            if wait > 0:
                self._reason = f"it answered {outcome.status_code} and asked to be left alone until then"
                self.hold(now + wait, here=True)

    def _turned(self, outcome: Outcome) -> None:
        """The circuit has another state than before."""
        if self._breaker.state == "open":
            said = outcome.error if outcome.status_code is None else f"it answers {outcome.status_code}"
            self._reason = f"nearly every attempt fails: {said}"
            self._shut()
        elif self._breaker.state == "closed":
            self._adaptive.restart(RESTART_LIMIT)
            self._open()

    def _companions(self, job: Job, now: float) -> list[Job]:
        """What waits behind `job` and may go with it: no more than its subscription takes, and what fits."""
        found: list[Job] = []
        left = BATCH_BYTES - job.message.size
        queue = self._line.of(job)
        while queue and len(found) < job.subscription.policy.batch_size - 1:
            other = queue[0]
            if other.withdrawn or other.shard.lost:
                queue.popleft()
                continue
            if now >= other.shard.leased_until or (other.work is None and self.outlasts(other.shard)):
                break
            left -= other.message.size
            if other.subscription is not job.subscription or other.replay_id != job.replay_id or left < 0:
                break
            found.append(queue.popleft())
        return found

    async def _token(self, rate: float) -> None:
        """Take a token; they come one by one, so that no second gets more than the rate and one."""
        while True:
            per_second = max(rate * self._around.share(), 0.001)
            now = time.monotonic()
            self._tokens = min(1.0, self._tokens + (now - self._filled_at) * per_second)
            self._filled_at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            await asyncio.sleep((1 - self._tokens) / per_second)
