"""The way of deliveries to one sink: how many at once, and that none is left behind."""

import asyncio
from dataclasses import replace
from math import inf
from uuid import UUID, uuid4

from yarl import URL

from events.dispatch.gate import Gate, Surroundings
from events.dispatch.message import Message
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job, Shard
from shared.core.cloudevents import Event
from shared.core.delivery import DeliveryPolicy
from shared.core.filters import compile_filters
from shared.core.retry import Outcome

NOBODY = UUID(int=0)
SHARD = Shard(0, 1, (0, NOBODY), (0, NOBODY), leased_until=inf, deadline=inf)


def subscription(max_in_flight: int) -> Subscription:
    sink = "https://example.com/"
    policy = DeliveryPolicy(max_in_flight=max_in_flight)
    return Subscription(NOBODY, NOBODY, 1, "active", compile_filters([]), sink, URL(sink), policy, (), None)


def job(of: Subscription) -> Job:
    return Job(SHARD, of, Message(NOBODY, Event("1.0", "1", "/s", "t")), uuid4())


async def test_those_who_end_together_when_the_limit_is_lowered_leave_enough_to_go_on() -> None:
    full, answered = asyncio.Event(), asyncio.Event()
    started: list[Job] = []

    async def run(one: Job) -> Outcome:
        started.append(one)
        if len(started) == 8:
            full.set()
        await answered.wait()
        return Outcome(204)

    gate = Gate(Surroundings(run, lambda: 1.0), wide := subscription(8))
    for _ in range(40):
        gate.put(job(wide))
    async with asyncio.timeout(5):
        await full.wait()
        gate.follow(replace(wide, version=2, policy=DeliveryPolicy(max_in_flight=2)))
        answered.set()
        await gate.settle()
    assert len(started) == 40
