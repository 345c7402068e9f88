"""Who gets how many of the rows that one look at what is due may bring."""

from typing import Any, cast
from uuid import UUID

from events.dispatch.clock import DatabaseClock
from events.dispatch.due import ROOM, ROWS, WAKE_GAP_SECONDS, DueDeliveries
from events.dispatch.gate import Surroundings
from events.dispatch.gates import Gates
from events.dispatch.queries import Lane
from events.dispatch.work import Job
from shared.core.retry import Outcome
from tests.unit.dispatch.test_gate import job, subscription


async def run(_: Job) -> Outcome | None:
    return None


def due_deliveries() -> DueDeliveries:
    nothing = cast("Any", None)
    gates = Gates(Surroundings(run, lambda: 1.0))
    return DueDeliveries(nothing, {}, gates, nothing, nothing, clock=DatabaseClock())


def backlog(count: int) -> list[Lane]:
    return [Lane(UUID(int=number), "live") for number in range(1, count + 1)]


async def test_those_with_a_late_id_get_as_much_as_those_with_an_early_one() -> None:
    rooms = due_deliveries()._rooms(backlog(64))
    assert set(rooms.values()) == {ROWS // 64}
    assert len(rooms) == 64


async def test_what_is_little_is_brought_in_full() -> None:
    rooms = due_deliveries()._rooms(backlog(4))
    assert set(rooms.values()) == {ROOM}


async def test_of_very_many_each_has_its_turn() -> None:
    looks = due_deliveries()
    waiting = backlog(3 * ROWS - 100)
    turns: dict[Lane, int] = dict.fromkeys(waiting, 0)
    for _ in range(9):
        rooms = looks._rooms(waiting)
        assert sum(rooms.values()) == ROWS
        for lane, count in rooms.items():
            turns[lane] += count
    assert set(turns.values()) == {3, 4}


async def test_what_was_taken_back_from_memory_is_looked_for_again() -> None:
    looks = due_deliveries()
    shed = job(subscription(1))
    looks.under_way[shed.delivery_id] = shed
    assert looks.due_in == float("inf")
    looks._gates.around.shed(shed)
    assert not looks.under_way
    assert looks.due_in <= WAKE_GAP_SECONDS
