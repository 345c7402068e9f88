"""Batches of SQS and events of EventBridge: what failed comes again, what will never do does not."""

import asyncio
import json

import pytest

from shared.runtime.aws.handling import Handling
from shared.runtime.function import Function
from tests.support.aws import Context, event, message, payload

FUNCTION = Function(name="trial", summary="", entry="", on=("dev.weir.wake", "dev.weir.tick"), wakes=True)


class Watching:
    """Stands where the metrics are: what was counted."""

    def __init__(self):
        self.counted = []

    def count(self, metric):
        self.counted.append(metric)


class Trial:
    """A handler that fails for the shards it is told to, and holds on to some until it is drained."""

    def __init__(self, log, failing=(), holding=()):
        self.log = log
        self.failing = failing
        self.holding = holding
        self._drained = asyncio.Event()

    async def handle(self, event):
        shards = (event["data"] or {}).get("shards", ["tick"])
        self.log.append(shards)
        if set(shards) & set(self.failing):
            raise OSError("no database")
        if set(shards) & set(self.holding):
            await self._drained.wait()

    async def drain(self):
        self.log.append("drained")
        self._drained.set()


class Carrier:
    def __init__(self, takes):
        self.sent = []
        self.takes = takes

    async def send(self, kind, data):
        self.sent.append((kind, data))
        return self.takes

    async def close(self):
        pass


class World:
    """A handler on Lambda, in a loop of its own."""

    def __init__(self, resources):
        self.loop = asyncio.new_event_loop()
        self.log = []
        self.made = 0
        self.options = {}
        self.resources = resources
        self.watching = Watching()
        self.handling = Handling(FUNCTION, resources, self._make, self.loop, self.watching)

    def _make(self):
        self.made += 1
        return Trial(self.log, **self.options)

    def __call__(self, payload, seconds=30):
        asyncio.set_event_loop(self.loop)
        return self.handling(payload, Context(seconds))


@pytest.fixture
def world(settings):
    from shared.runtime.resources import Resources

    made = World(Resources(settings))
    yield made
    asyncio.set_event_loop(None)
    made.loop.close()


def wake(*shards):
    return event("dev.weir.wake", {"shards": list(shards)})


def failed(answer):
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_of_a_batch_only_what_failed_comes_again(world):
    world.options = {"failing": {2}}
    records = [message(wake(n), n) for n in range(1, 5)]
    assert failed(world({"Records": records})) == ["m-2"]
    assert sorted(world.log[:-1]) == [[1], [2], [3], [4]]
    assert world.log[-1] == "drained"
    assert world.watching.counted.count("Events") == 4
    assert world.watching.counted.count("Failures") == 1


def test_a_batch_that_failed_whole_names_all_of_it(world):
    world.options = {"failing": {1, 2}}
    assert failed(world({"Records": [message(wake(1), 1), message(wake(2), 2)]})) == ["m-1", "m-2"]


def test_a_batch_is_handled_at_once(world):
    """A wake stays open while there is work: the next message must not wait for that."""
    world.options = {"holding": {1, 2}}
    world.resources.wake.carrier = Carrier(takes=True)
    assert failed(world({"Records": [message(wake(1), 1), message(wake(2), 2)]}, seconds=0.4)) == []
    assert world.log == [[1], [2], "drained"]


def test_with_an_order_nothing_of_a_group_passes_what_failed(world):
    world.options = {"failing": {2}}
    groups = ((1, "a"), (2, "a"), (3, "a"), (4, "b"))
    records = [message(wake(n), n, group=group) for n, group in groups]
    assert failed(world({"Records": records})) == ["m-2", "m-3"]
    assert world.log == [[1], [2], [4], "drained"]


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[1]",
        "{}",
        json.dumps({"specversion": "1.0", "type": "dev.weir.wake"}),
        json.dumps(event("dev.weir.wake", {"shards": []})),
        json.dumps(event("dev.weir.wake", {"shards": ["x"]})),
        json.dumps(event("com.example.bought")),
        json.dumps(payload("bridge") | {"detail": None}),
        json.dumps({k: v for k, v in payload("bridge").items() if k != "id"}),
    ],
)
def test_what_is_no_event_for_it_does_not_come_again(world, body, caplog):
    answer = world({"Records": [message(body, 1), message(wake(7), 2)]})
    assert failed(answer) == []
    assert world.log == [[7], "drained"]
    assert world.watching.counted == ["Unreadable", "Events"]
    assert "m-1 is dropped" in caplog.text


def test_a_message_may_hold_an_event_of_a_bus(world):
    assert failed(world({"Records": [message(payload("bridge"))]})) == []
    assert world.log == [[1], "drained"]


@pytest.mark.parametrize("name", ["schedule", "scheduler"])
def test_a_schedule_is_a_tick(world, name):
    assert world(payload(name)) is None
    assert world.log == [["tick"], "drained"]


def test_an_event_of_a_bus_is_handled(world):
    assert world(payload("bridge")) is None
    assert world.log == [[1], "drained"]


def test_an_event_that_failed_is_raised_so_that_lambda_calls_again(world):
    world.options = {"failing": {1}}
    with pytest.raises(OSError, match="no database"):
        world(payload("bridge"))
    assert world.log == [[1], "drained"]


def test_a_single_payload_that_is_none_does_not_come_again(world):
    assert world({"hello": "there"}) is None
    assert world.watching.counted == ["Unreadable"]


def test_each_invocation_has_a_handler_of_its_own(world):
    world(payload("bridge"))
    world(payload("bridge"))
    assert world.made == 2
    assert world.log == [[1], "drained", [1], "drained"]


def test_what_is_not_done_in_time_is_given_back_and_sent_again(world):
    world.options = {"holding": {3}}
    carrier = world.resources.wake.carrier = Carrier(takes=True)
    assert failed(world({"Records": [message(wake(3), 1), message(wake(4), 2)]}, seconds=0.4)) == []
    assert world.log == [[3], [4], "drained"]
    assert carrier.sent == [("dev.weir.wake", {"shards": [3]})]
    assert world.watching.counted.count("HandedOver") == 1


def test_what_nobody_could_be_told_of_comes_again(world):
    world.options = {"holding": {3}}
    world.resources.wake.carrier = Carrier(takes=False)
    assert failed(world({"Records": [message(wake(3), 1), message(wake(4), 2)]}, seconds=0.4)) == ["m-1"]


def test_a_handler_that_cannot_end_does_not_undo_what_is_done(world, caplog):
    class Stuck(Trial):
        async def drain(self):
            raise RuntimeError("stuck")

    world.handling._make = lambda: Stuck(world.log)
    assert failed(world({"Records": [message(wake(1))]})) == []
    assert "could not end in order" in caplog.text
