"""The way of deliveries to one sink: how many at once, and that none is left behind."""

import asyncio
from dataclasses import replace
from math import inf
from time import monotonic
from uuid import UUID, uuid4

import msgspec
from yarl import URL

from events.dispatch.gate import LONG_SECONDS, PATIENCE_SECONDS, ROWS_PER_SLOT, Gate, Surroundings
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job, Shard
from shared.core.cloudevents import Event
from shared.core.delivery import DeliveryPolicy
from shared.core.filters import compile_filters
from shared.core.retry import Outcome
from shared.sending.message import Message

NOBODY = UUID(int=0)
SHARD = Shard(0, 1, (0, NOBODY), (0, NOBODY), leased_until=inf, deadline=inf)


def subscription(max_in_flight: int) -> Subscription:
    sink = "https://example.com/"
    policy = DeliveryPolicy(max_in_flight=max_in_flight)
    return Subscription(NOBODY, NOBODY, 1, "active", compile_filters([]), sink, URL(sink), policy, (), None)


def job(of: Subscription, shard: Shard = SHARD) -> Job:
    return Job(shard, of, Message(NOBODY, Event("1.0", "1", "/s", "t")), uuid4())


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
    async with asyncio.timeout(60):
        await full.wait()
        gate.follow(replace(wide, version=2, policy=DeliveryPolicy(max_in_flight=2)))
        answered.set()
        await gate.settle()
    assert len(started) == 40


async def test_what_is_put_in_while_the_last_worker_leaves_is_attempted() -> None:
    answered, both = asyncio.Event(), asyncio.Event()
    started: list[Job] = []

    async def run(one: Job) -> Outcome:
        started.append(one)
        answered.set()
        if len(started) == 2:
            both.set()
        return Outcome(204)

    gate = Gate(Surroundings(run, lambda: 1.0), narrow := subscription(1))
    gate.put(job(narrow))
    await answered.wait()  # goes on in the turn in which the worker ends
    gate.put(job(narrow))
    async with asyncio.timeout(60):
        await both.wait()


async def test_room_is_told_of_when_all_that_waited_was_taken_back() -> None:
    told, answered = asyncio.Event(), asyncio.Event()

    async def run(_: Job) -> Outcome:
        await answered.wait()
        return Outcome(204)

    around = Surroundings(run, lambda: 1.0)
    around.room = lambda _: told.set()
    gate = Gate(around, narrow := subscription(1))
    waiting = [job(narrow) for _ in range(20)]
    for one in waiting:
        gate.put(one)
    assert gate.room_for_rows <= 0
    async with asyncio.timeout(60):
        await asyncio.sleep(0)  # the first is under way
        for one in waiting[1:]:
            one.withdrawn = True
        answered.set()
        await told.wait()


async def test_a_test_event_counts_against_what_was_found_before_it_alone() -> None:
    async def run(_: Job) -> Outcome:
        return Outcome(204)

    gate = Gate(Surroundings(run, lambda: 1.0), subscription(8))
    before = monotonic()
    gate.hold(before + 60, here=True)
    gate.found_well(before)
    assert gate.health.state == "open"
    gate.found_well(monotonic())
    assert (gate.health.state, gate.health.in_flight_limit) == ("closed", 4)
    gate.cancel()


async def test_a_sink_that_says_nothing_holds_neither_new_events_nor_memory() -> None:
    answered = asyncio.Event()

    async def run(_: Job) -> Outcome:
        await answered.wait()
        return Outcome(204)

    gate = Gate(Surroundings(run, lambda: 1.0), wide := subscription(8))
    assert gate.room > 0  # nothing was heard, but nothing was asked
    gate.put(job(wide))
    await asyncio.sleep(0)
    assert gate.room > 0
    assert gate.room_for_rows == 8 * ROWS_PER_SLOT
    gate._heard_at -= 2 * PATIENCE_SECONDS
    assert gate.room == 0
    gate._heard_at -= 2 * LONG_SECONDS
    assert gate.is_long
    assert gate.room_for_rows == 7
    gate._adaptive.latency = 0.001  # as if most answers came at once
    answered.set()
    await gate.settle()
    assert gate.room > 0


async def test_what_takes_long_is_not_started_of_a_shard_that_is_to_be_given_away() -> None:
    started: list[Job] = []
    shed: list[Job] = []

    async def run(one: Job) -> Outcome:
        started.append(one)
        return Outcome(204)

    around = Surroundings(run, lambda: 1.0)
    around.shed = shed.append
    gate = Gate(around, of := subscription(1))
    ending = msgspec.structs.replace(SHARD, ending=True)
    rows = [job(of, ending), job(of), job(of, ending)]
    gate._adaptive.latency = 2 * LONG_SECONDS
    for row in rows:
        gate.put(row)
    await gate.settle()
    assert started == [rows[1]]
    assert shed == [rows[0], rows[2]]
    gate._adaptive.latency = LONG_SECONDS / 2
    gate.put(rows[0])
    await gate.settle()
    assert started == [rows[1], rows[0]]


async def test_what_ends_before_that_which_holds_its_shard_up_is_started() -> None:
    started: list[Job] = []
    shed: list[Job] = []

    async def run(one: Job) -> Outcome:
        started.append(one)
        return Outcome(204)

    around = Surroundings(run, lambda: 1.0)
    around.shed = shed.append
    gate = Gate(around, of := subscription(1))
    now = monotonic()
    sooner = msgspec.structs.replace(SHARD, ending=True, busy_until=now + LONG_SECONDS)
    later = msgspec.structs.replace(SHARD, ending=True, busy_until=now + 10 * LONG_SECONDS)
    rows = [job(of, sooner), job(of, later)]
    gate._adaptive.latency = 2 * LONG_SECONDS
    for row in rows:
        gate.put(row)
    await gate.settle()
    assert started == [rows[1]]
    assert shed == [rows[0]]


async def test_what_goes_to_a_sink_that_says_nothing_may_take_its_whole_time_out() -> None:
    answered = asyncio.Event()

    async def run(one: Job) -> Outcome:
        one.started_at = monotonic()
        await answered.wait()
        return Outcome(204)

    gate = Gate(Surroundings(run, lambda: 1.0), of := subscription(8))
    gate._adaptive.latency = 0.01
    gate.put(first := job(of))
    await asyncio.sleep(0)
    assert first.started_at is not None
    timeout = of.policy.timeout_seconds
    now = first.started_at + 2 * LONG_SECONDS
    assert gate.ends(first, now) == first.started_at + timeout
    gate._heard_at -= 2 * LONG_SECONDS
    # So its own requests do not make room for more of them.
    assert gate.outlasts(msgspec.structs.replace(SHARD, ending=True, busy_until=first.started_at + timeout))
    assert not gate.outlasts(SHARD)
    answered.set()
    await gate.settle()
