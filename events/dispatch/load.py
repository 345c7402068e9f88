"""How much there is to do, told in open requests: Knative counts those when it decides how many instances there are."""

import math
import time

from events.dispatch.due import DueDeliveries
from events.dispatch.gates import Gates
from events.dispatch.work import Job, Shard
from shared.runtime.wake import Wake

BUSY_LOOKS = 2
MOST_LOOKS = 3
"""A shard is busy that had something to do at two of the last three looks or so; there is one each second."""

STAY_SECONDS = 3.0
"""How long a request stays open that stands for a busy shard; the next one follows when it ends."""


class Load:
    """Keeps a request open for each busy shard.

    It does not matter which instance such a request comes to: open it is there as well, and one that holds nothing asks
    for its part of the shards then. Only some of the shards are told of at a time, so that there are always requests
    yet to come for an instance that has just started.
    """

    def __init__(self, wake: Wake, shards: dict[int, Shard], due: DueDeliveries, gates: Gates) -> None:
        self._wake = wake
        self._shards = shards
        self._due = due
        self._gates = gates

    def tell(self) -> None:
        """Look what is busy and tell of it; to be called once a second."""
        if self._wake.local is not None:
            return
        at_work = self._at_work()
        for shard in self._shards.values():
            looks = shard.busy_looks + (1 if shard.number in at_work else -1)
            shard.busy_looks = min(max(looks, 0), MOST_LOOKS)
        now = time.monotonic()
        busy = [shard for shard in self._shards.values() if shard.busy_looks >= BUSY_LOOKS]
        due = sorted((s for s in busy if now - s.told_at >= STAY_SECONDS), key=lambda shard: shard.told_at)
        for shard in due[: math.ceil(len(busy) / STAY_SECONDS)]:
            shard.told_at = now
            self._wake.stay(shard.number, STAY_SECONDS)

    def _at_work(self) -> set[int]:
        """The shards of which something is under way that more instances could help with."""
        jobs = [job for shard in self._shards.values() for work in shard.works for job in work.jobs]
        jobs += [job for job in self._due.under_way.values() if job.started_at is not None]
        return {job.shard.number for job in jobs if self._could_be_helped(job)}

    def _could_be_helped(self, job: Job) -> bool:
        """A sink that takes long does so for however many."""
        return not self._gates.of_job(job).is_long
