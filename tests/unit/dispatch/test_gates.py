"""What is known of the sinks of a process with many subscriptions."""

import gc
import time
from uuid import uuid4

from yarl import URL

from events.dispatch.gate import Surroundings
from events.dispatch.gates import Gates
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job
from shared.core.delivery import DEFAULT
from shared.core.filters import compile_filters
from shared.core.retry import Outcome

EVERYTHING = compile_filters([])


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
    gc.disable()  # it would look at whatever the tests before have left
    try:
        started = time.process_time()
        for one in many:
            gates.of(one).saturated = True
        return time.process_time() - started
    finally:
        gc.enable()


def test_an_event_to_many_sinks_costs_each_the_same() -> None:
    few, many = (min(seconds_of(count) for _ in range(2)) for count in (2_000, 16_000))
    assert many < 8 * 4 * few


def test_those_of_which_there_is_nothing_to_remember_are_forgotten() -> None:
    gates = Gates(Surroundings(run, lambda: 1.0))
    for _ in range(20_000):
        gates.of(subscription())
    assert len(gates._gates) < 5_000
