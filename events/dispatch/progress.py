"""What becomes of the deliveries in memory: attempted, ended, or still under way with a row that stands for them."""

import logging
import random
import time
from collections.abc import Sequence

from events.dispatch import endings
from events.dispatch.due import DueDeliveries
from events.dispatch.gates import Gates
from events.dispatch.recorder import Recorder
from events.dispatch.work import Change, Ending, Job, NewDelivery, Shard, Work
from shared.core.ids import timestamp_ms
from shared.core.retry import Outcome
from shared.runtime.metrics import METRICS
from shared.sending.attempt import Result
from shared.sending.outgoing import Attempted
from shared.sending.sender import Sender

ATTEMPTS = METRICS.counter(
    "weir_attempts_total", "Requests to sinks, by what they made of their delivery.", ("status",)
)
DELIVERED = METRICS.histogram(
    "weir_delivery_seconds",
    "Time from the receipt of an event to its delivery.",
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 3600, 21_600, 86_400),
)

GONE_SECONDS = 2.0
"""How long nothing is sent to a sink that is gone: then everybody knows that its subscription is disabled."""

logger = logging.getLogger("weir.dispatch")


class Progress:
    """Takes jobs from their gates through `sender` to `recorder`."""

    def __init__(self, sender: Sender, gates: Gates, due: DueDeliveries, recorder: Recorder) -> None:
        self._sender = sender
        self._gates = gates
        self._due = due
        self._recorder = recorder

    def let_stand(self, shard: Shard, before: float) -> None:
        """Let rows stand for what has not ended of the events that were read before that moment (monotonic)."""
        now = time.time()
        for work in shard.works:
            if work.read_at > before:
                break
            if not work.open:
                continue
            for job in work.jobs:
                if job.work is None:
                    continue
                if job.started_at is not None:
                    ending = endings.under_way(job.subscription.policy, now)
                    self._due.stands_for(job)
                else:
                    ending = endings.waiting(now)
                    job.withdrawn = True
                    self._gates.of(job.subscription).saturated = True
                job.row = self._settle(job, ending)

    def _settle(self, job: Job, ending: Ending) -> NewDelivery:
        """Let a row stand for `job` from now on."""
        work = job.work
        assert work is not None
        position = None if job.order_key is None else work.xid
        row = NewDelivery(
            job.shard.number, job.delivery_id, work.uid, job.subscription, ending, job.order_key, position
        )
        work.rows.append(row)
        work.open -= 1
        job.work = None
        return row

    async def run(self, job: Job) -> Outcome | None:
        """Attempt `job`, and what goes with it, and note what came of it; what that says of its sink.

        Raises nothing: the gate goes on with the next.
        """
        jobs = self._ours(job)
        if not jobs:
            return None  # their rows are left to the shards' next owners
        now = time.monotonic()
        for each in jobs:
            each.started_at = now
        outcome: Outcome | None = None
        try:
            results: Sequence[Result | None] = [None] * len(jobs)
            if job.subscription.broken is None:
                if job.companions is None:
                    results = [await self._sender.attempt(job)]
                else:
                    results = await self._sender.attempt_batch(jobs)
            # By one random number for all, those of a batch are due together again.
            rand = random.random()  # noqa: S311 jitter
            for each, result in zip(jobs, results, strict=True):
                outcome = self._ended(each, result, rand) or outcome
        except Exception as error:
            for each in jobs:
                self._failed(each, error)
        return outcome

    def _ours(self, job: Job) -> list[Job]:
        """Those of `job` and its companions that are still to be attempted here."""
        jobs = [job] if job.companions is None else [job, *job.companions]
        left = [each for each in jobs if not (each.shard.leaving and each.work is None)]
        if len(left) < len(jobs):
            for each in jobs:
                if each not in left:
                    self._due.under_way.pop(each.delivery_id, None)
        return left

    def _ended(self, job: Job, result: Result | None, rand: float) -> Outcome | None:
        """Note what an attempt came to; None is that its subscription cannot be used.

        Returns what it says of the sink that it went to, if anything.
        """
        now = time.time()
        outcome = None if result is None else result.outcome
        if outcome is not None and not outcome.is_of_sink:
            outcome = None
        if job.shard.lost:
            return outcome
        if result is None:
            assert job.subscription.broken is not None
            self._note(job, endings.poisoned(job, job.subscription.broken, now), None)
            return None
        if job.dead_letter is not None:
            self._note(job, endings.after_dead_letter(job, result, now, rand), None)
            return outcome
        ending, decision = endings.after_attempt(job, result, now, rand)
        ATTEMPTS.add(ending.status)
        if ending.status == "delivered" and job.replay_id is None:
            DELIVERED.observe(value=now - timestamp_ms(job.delivery_id) / 1000)
        if decision.disable:
            self._recorder.disable(job.subscription)
            # What is queued becomes rows instead, and those are cancelled.
            self._gates.of(job.subscription).hold(time.monotonic() + GONE_SECONDS)
        self._note(job, ending, result.attempted if job.attempt > 1 else None)
        return outcome

    def _failed(self, job: Job, error: Exception) -> None:
        """Note a mistake of ours: the delivery is dead, and the others go on."""
        logger.error("delivery %s cannot be sent", job.delivery_id, exc_info=error)
        if not job.shard.lost:
            text = f"could not be sent: {type(error).__name__}"
            self._note(job, endings.poisoned(job, text, time.time()), None)

    def _note(self, job: Job, ending: Ending, attempted: Attempted | None) -> None:
        work: Work | None = job.work
        if work is not None:
            self._settle(job, ending)
            if not work.open:
                self._recorder.changed.set()
            return
        if job.row is not None and not job.row.taken:
            job.row.ending = ending
            self._due.under_way.pop(job.delivery_id, None)
            return
        project_id = job.subscription.project_id
        self._recorder.change(
            Change(
                job.shard,
                job.delivery_id,
                job.subscription,
                project_id,
                ending,
                job.order_key,
                attempted,
                job.replay_id,
            )
        )
        self._recorder.changed.set()
