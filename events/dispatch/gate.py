"""How many requests a sink gets at once and in a second."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from uuid import UUID

from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job

QUEUE = 4_096
"""How many deliveries may wait in memory; the reader sees to it that it is seldom reached."""

BATCH_BYTES = 4 * 1024 * 1024
"""How much data goes into one request with several events."""

ROWS_PER_SLOT = 8
"""How many rows may wait in memory for each request that may be under way."""


class Gate:
    """Deliveries of one subscription on their way: at most `maxInFlight` under way, `ratePerSecond` started.

    `share` is this process's part of the rate: the rest belongs to those who hold the other shards.
    """

    def __init__(self, run: Callable[[Job], Awaitable[None]], share: Callable[[], float]) -> None:
        self._run = run
        self._share = share
        self._queue: deque[Job] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._tokens = 1.0
        self._filled_at = time.monotonic()
        self.subscription: Subscription | None = None
        self.saturated = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._queue and not self._workers

    @property
    def room(self) -> int:
        """How many more deliveries of new events may be put in."""
        return min(QUEUE, self._rate_room()) - len(self._queue)

    @property
    def room_for_rows(self) -> int:
        """How many more deliveries that are rows may be put in."""
        assert self.subscription is not None
        slots = self.subscription.policy.max_in_flight
        return min(slots * ROWS_PER_SLOT, self._rate_room()) - len(self._queue)

    def _rate_room(self) -> int:
        """With a rate, no more than goes out within a second: the rest waits on disk."""
        assert self.subscription is not None
        rate = self.subscription.policy.rate_per_second
        return QUEUE if rate is None else max(1, int(rate * self._share()))

    def put(self, job: Job) -> None:
        """Attempt `job` as soon as there is a slot and a token."""
        self.subscription = job.subscription
        self._queue.append(job)
        if len(self._workers) < min(
            job.subscription.policy.max_in_flight, len(self._queue) + len(self._workers)
        ):
            worker = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def cancel(self) -> None:
        """End everything, under way or not."""
        self._queue.clear()
        for worker in self._workers:
            worker.cancel()

    async def settle(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        while self._workers:
            await asyncio.wait(self._workers)

    async def _work(self) -> None:
        while self._queue:
            assert self.subscription is not None
            if len(self._workers) > self.subscription.policy.max_in_flight:
                return  # the subscription was changed to fewer
            if self.subscription.policy.rate_per_second is not None:
                await self._token(self.subscription.policy.rate_per_second)
                if not self._queue:
                    self._tokens += 1
                    return
            job = self._queue.popleft()
            if not job.withdrawn and not job.shard.lost:
                if job.subscription.policy.batch_size > 1 and job.dead_letter is None:
                    job.companions = self._companions(job)
                await self._run(job)

    def _companions(self, job: Job) -> list[Job]:
        """What waits behind `job` and may go with it: no more than its subscription takes, and what fits."""
        found: list[Job] = []
        left = BATCH_BYTES - job.message.size
        while self._queue and len(found) < job.subscription.policy.batch_size - 1:
            other = self._queue[0]
            if other.withdrawn or other.shard.lost:
                self._queue.popleft()
                continue
            left -= other.message.size
            if other.subscription is not job.subscription or other.dead_letter is not None or left < 0:
                break
            found.append(self._queue.popleft())
        return found

    async def _token(self, rate: float) -> None:
        """Take a token; they come one by one, so that no second gets more than the rate and one."""
        while True:
            per_second = max(rate * self._share(), 0.001)
            now = time.monotonic()
            self._tokens = min(1.0, self._tokens + (now - self._filled_at) * per_second)
            self._filled_at = now
            if self._tokens >= 1:
                self._tokens -= 1
                return
            await asyncio.sleep((1 - self._tokens) / per_second)


class Gates:
    """The gates of all subscriptions that have something on its way."""

    def __init__(self, run: Callable[[Job], Awaitable[None]], share: Callable[[], float]) -> None:
        self._run = run
        self._share = share
        self._gates: dict[UUID, Gate] = {}

    def of(self, subscription: Subscription) -> Gate:
        """The gate of `subscription`, which works by its newest version from now on."""
        gate = self._gates.get(subscription.id)
        if gate is None:
            if len(self._gates) > 1000:
                self._forget()
            gate = self._gates[subscription.id] = Gate(self._run, self._share)
        gate.subscription = subscription
        return gate

    def find(self, subscription_id: UUID) -> Gate | None:
        """The gate of that subscription, if it had anything lately."""
        return self._gates.get(subscription_id)

    def cancel(self) -> None:
        """End everything."""
        for gate in self._gates.values():
            gate.cancel()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        for gate in list(self._gates.values()):
            await gate.settle()

    def _forget(self) -> None:
        self._gates = {key: gate for key, gate in self._gates.items() if not gate.is_idle or gate.saturated}
