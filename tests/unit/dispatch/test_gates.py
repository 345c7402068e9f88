"""What is known of the sinks of a process with many subscriptions."""

import asyncio
import time
from dataclasses import replace
from math import inf
from uuid import uuid4

import pytest
from yarl import URL

from events.dispatch.gate import Gate, Gates, Surroundings
from events.dispatch.message import Message
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job, Shard
from shared.core.cloudevents import Event
from shared.core.delivery import DEFAULT
from shared.core.filters import compile_filters
from shared.core.retry import Outcome

EVERYTHING = compile_filters([])


OVERLOADED = Outcome(503)


async def run(_: Job) -> Outcome | None:
    return None


def subscription() -> Subscription:
    return Subscription(
        uuid4(), uuid4(), 1, "active", EVERYTHING, "http://s/", URL("http://s/"), DEFAULT, (), None
    )


def seconds_of(count: int) -> float:
    """The processor time of an event that goes to so many sinks at once."""
    gates = Gates(Surroundings(run, lambda: 1.0))
    many = [subscription() for _ in range(count)]
    started = time.process_time()
    for one in many:
        gates.of(one).saturated = True
    return time.process_time() - started


def test_an_event_to_many_sinks_costs_each_the_same() -> None:
    few, many = (min(seconds_of(count) for _ in range(2)) for count in (2_000, 16_000))
    assert many < 8 * 4 * few


def test_those_of_which_there_is_nothing_to_remember_are_forgotten() -> None:
    gates = Gates(Surroundings(run, lambda: 1.0))
    for _ in range(20_000):
        gates.of(subscription())
    assert len(gates._gates) < 5_000


def job(of: Subscription) -> Job:
    shard = Shard(1, 1, (0, uuid4()), (0, uuid4()), inf, inf)
    return Job(shard, of, Message(uuid4(), Event("1.0", "1", "/s", "t")), uuid4())


@pytest.mark.parametrize("at_once", [2, 6, 8])
async def test_answers_that_come_together_when_the_limit_falls_leave_somebody_at_work(at_once: int) -> None:
    """Time-outs of requests that began together end together, and so may what a network brings."""
    waiting: list[asyncio.Event] = []

    async def busy(_: Job) -> Outcome:
        waiting.append(asyncio.Event())
        await waiting[-1].wait()
        return OVERLOADED

    one = subscription()
    one = replace(one, policy=replace(one.policy, max_in_flight=8))
    gate = Gate(Surroundings(busy, lambda: 1.0), one)
    gate._adaptive.restart(8)  # it was strained before: from now on each round may lower the limit
    count, ended = 60, 0
    for _ in range(count):
        gate.put(job(one))
    while ended < count:
        for _ in range(3):
            await asyncio.sleep(0)
        assert waiting, f"{count - ended} deliveries wait and nobody is at work"
        together, waiting[:at_once] = waiting[:at_once], []
        ended += len(together)
        for event in together:
            event.set()
    await gate.settle()
