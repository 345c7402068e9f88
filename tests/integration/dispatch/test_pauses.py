"""Pausing and resuming while two dispatchers are at work loses nothing and does nothing twice."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from functions.subscriptions.draft import read_draft
from functions.subscriptions.service import Subscriptions
from shared.audit.by import by_weir
from shared.auth.access import Access
from shared.replays.opening import cancel
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.integration.dispatch.test_recording import is_waiting
from tests.integration.dispatch.test_shares import another, ask, until_even
from tests.support.sink import Answer, Sink


class Switch:
    """Changes the state of a subscription through the use case of the API."""

    def __init__(
        self, resources: Resources, world: World, subscription: object, sink: str, **delivery: object
    ) -> None:
        self._service = Subscriptions(resources)
        self._access = Access(
            world.project.id, world.project.name, "key:test", frozenset({"subscriptions:write"})
        )
        self._id = str(subscription)
        self._sink, self._delivery = sink, delivery

    async def turn(self, state: str) -> None:
        draft = read_draft(
            name=None, filters=[], sink=self._sink, delivery=self._delivery, signing_secrets=None
        )
        await self._service.replace(self._access, by_weir(), self._id, draft, state, drop_secrets=False)


@pytest.mark.parametrize("ordering", ["none", "partitionkey"])
async def test_nothing_is_lost_or_done_twice(
    settings: Settings, world: World, sink: Sink, ordering: str
) -> None:
    subscription = await world.subscribe(sink.url, ordering=ordering)
    sink.choose(lambda _: Answer(delay=0.02))
    world.start()
    async with another(settings, world) as second:
        ask(world)
        ask(second)
        await until_even(world, second)
        switch = Switch(world.resources, world, subscription, sink.url, ordering=ordering)
        sent = 0

        async def load() -> None:
            nonlocal sent
            for n in range(40):
                for one in (world, second):
                    await one.emit(3, partitionkey=f"k{n % 5}")
                    sent += 3

        async def toggle() -> None:
            for _ in range(6):
                await switch.turn("paused")
                await asyncio.sleep(0.07)
                await switch.turn("active")
                await asyncio.sleep(0.05)

        await asyncio.gather(load(), toggle())
        rows = await world.settled(sent)
    assert len(rows) == sent
    assert {row["status"] for row in rows} == {"delivered"}
    assert {row["attempt_count"] for row in rows} == {1}
    assert set(Counter(request.id for request in sink.requests).values()) == {1}


async def test_what_comes_after_one_that_ends_while_its_subscription_is_resumed_has_its_turn(
    world: World, sink: Sink
) -> None:
    """Whoever resumes sees the first still waiting, whoever records its end sees the second still held."""
    policy = {"ordering": "partitionkey", "backoffDelay": "PT0.05S"}
    subscription = await world.subscribe(sink.url, **policy)
    switch = Switch(world.resources, world, subscription, sink.url, **policy)
    sink.answers([503, Answer(hang=True)])
    world.start()
    await world.emit(partitionkey="k")
    await sink.wait(2)
    await world.emit(partitionkey="k")

    async def both_are_rows() -> bool:
        return len(await world.deliveries()) == 2

    await world.until(both_are_rows)
    await switch.turn("paused")
    async with world.pool.acquire() as other, other.transaction():
        await other.execute("LOCK TABLE attempts IN EXCLUSIVE MODE")
        sink.let_go()
        await world.until(lambda: is_waiting(world, "INSERT INTO attempts"))
        resuming = asyncio.create_task(switch.turn("active"))
        await world.until(lambda: is_waiting(world, "WITH released"))
    await resuming
    rows = await world.settled(2)
    assert [(row["status"], row["attempt_count"]) for row in rows] == [("delivered", 2), ("delivered", 1)]
    assert len(sink.requests) == 3


async def test_what_comes_after_one_that_is_cancelled_while_the_one_before_it_ends_has_its_turn(
    world: World, sink: Sink
) -> None:
    """Whoever cancels sees the first still waiting, whoever records its end sees the second still waiting."""
    await world.subscribe(sink.url, ordering="partitionkey", backoffDelay="PT0.05S")
    sink.answers([503, Answer(hang=True)])
    world.start()
    uids = await world.emit(1, partitionkey="k")
    await sink.wait(2)
    uids += await world.emit(2, partitionkey="k")

    async def all_are_rows() -> dict[object, UUID] | None:
        found = {row["event_uid"]: row["id"] for row in await world.deliveries()}
        return found if len(found) == 3 else None

    ids = await world.until(all_are_rows)
    async with world.pool.acquire() as cancelling, cancelling.transaction():
        async with world.pool.acquire() as other, other.transaction():
            await other.execute("LOCK TABLE attempts IN EXCLUSIVE MODE")
            sink.let_go()
            await world.until(lambda: is_waiting(world, "INSERT INTO attempts"))
            await cancel(cancelling, world.project.id, [ids[uids[1]]])
        await world.until(lambda: is_waiting(world, "WITH heads"))
    rows = await world.settled(3)
    assert {row["id"]: row["status"] for row in rows} == {
        ids[uids[0]]: "delivered",
        ids[uids[1]]: "cancelled",
        ids[uids[2]]: "delivered",
    }


async def test_an_attempt_under_way_ends_and_counts(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url)
    switch = Switch(world.resources, world, subscription, sink.url)
    sink.answers([Answer(200, delay=1.0)], then=200)
    world.start()
    await world.emit()
    await sink.wait(1)
    await switch.turn("paused")
    await world.emit()
    rows = await world.until(lambda: waits(world))
    assert len(rows) == 2
    await switch.turn("active")
    rows = await world.settled(2)
    assert {row["status"] for row in rows} == {"delivered"}
    assert len(sink.requests) == 2


async def waits(world: World) -> list[object]:
    """All rows, as soon as one is delivered and one is held."""
    rows = await world.deliveries()
    return (
        rows if {(r["status"], r["held"]) for r in rows} == {("delivered", False), ("pending", True)} else []
    )
