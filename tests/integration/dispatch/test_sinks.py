"""Limits, pauses and order: what one sink asks for costs the others nothing."""

import asyncio
from collections import Counter
from uuid import UUID

from tests.integration.dispatch.conftest import World
from tests.support.sink import Answer, Received, Sink


async def save(world: World, subscription: UUID, state: str) -> None:
    """What the subscriptions function does when a state is changed."""
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE subscriptions SET state = $2 WHERE id = $1", subscription, state)
        await connection.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)
        shards = []
        if state == "active":
            rows = await connection.fetch(
                "UPDATE deliveries SET held = false, next_attempt_at = now()"
                " WHERE subscription_id = $1 AND held RETURNING shard",
                subscription,
            )
            shards = [row["shard"] for row in rows]
    if shards:
        world.resources.wake.shards(set(shards))


async def test_a_slow_sink_does_not_hold_up_the_others(world: World, sink: Sink) -> None:
    await world.subscribe(f"{sink.url}/slow", maxInFlight=2, timeout="PT120S", retry=0)
    await world.subscribe(f"{sink.url}/fast")
    sink.choose(lambda r: Answer(hang=r.path == "/slow"))
    world.start()
    for _ in range(4):
        await world.emit(50)

    async def fast() -> bool:
        return sum(r.path == "/fast" for r in sink.requests) == 200

    await world.until(fast)

    async def stand_for() -> bool:
        found = await world.deliveries()
        counts = Counter(r["status"] for r in found)
        return counts == {"delivered": 200, "pending": 200}

    await world.until(stand_for)
    assert sum(r.path == "/slow" for r in sink.requests) == 2
    sink.let_go()


async def test_no_more_requests_are_open_than_asked_for(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, maxInFlight=3)
    sink.answer(200, delay=0.02)
    world.start()
    await world.emit(60)
    await world.settled(60)
    assert sink.most_open == 3


async def test_no_more_requests_a_second_than_asked_for(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, ratePerSecond=10)
    handler = world.start()
    world.tick()

    async def held() -> bool:
        return handler._dispatcher is not None and len(handler._dispatcher.shards) == 16

    await world.until(held)
    await world.emit(25)
    rows = await world.settled(25)
    # By the sender's clock: a busy sink may note several at once.
    times = sorted(row["first_started_at"].timestamp() for row in rows)
    assert max(sum(t <= u < t + 1 for u in times) for t in times) <= 12
    assert times[-1] - times[0] >= 2
    assert {r["status"] for r in rows} == {"delivered"}
    assert len(sink.requests) == 25


async def test_what_waits_for_a_busy_sink_is_delivered_in_the_end(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, maxInFlight=4)
    sink.answer(200, delay=0.05)
    world.start()
    await asyncio.gather(*(world.emit(50) for _ in range(4)))
    rows = await world.settled(200)
    assert {r["status"] for r in rows} == {"delivered"}
    assert len(sink.requests) == len({r.id for r in sink.requests}) == 200
    # Some did not get their turn in time and waited as rows.
    assert sum(r["attempt_count"] == 1 for r in rows) == 200


async def test_a_paused_subscription_loses_nothing(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url)
    world.start()
    await save(world, subscription, "paused")
    await world.emit(5)

    async def held() -> bool:
        rows = await world.deliveries()
        return len(rows) == 5 and all(r["held"] and r["next_attempt_at"] is None for r in rows)

    await world.until(held)
    assert not sink.requests
    await save(world, subscription, "active")
    rows = await world.settled(5)
    assert {r["status"] for r in rows} == {"delivered"}
    assert not any(r["held"] for r in rows)


async def test_retries_of_a_paused_subscription_are_held(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, backoffDelay="PT0.3S")
    sink.answer(503)
    world.start()
    await world.emit()
    await sink.wait(1)
    await save(world, subscription, "paused")

    async def held() -> bool:
        return any(r["held"] and r["status"] == "retrying" for r in await world.deliveries())

    await world.until(held)
    seen = len(sink.requests)
    sink.answer(200)
    await save(world, subscription, "active")
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", seen + 1)


async def test_pausing_and_resuming_under_load_loses_nothing(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url)
    world.start()

    async def toggle() -> None:
        for _ in range(6):
            await save(world, subscription, "paused")
            await asyncio.sleep(0.05)
            await save(world, subscription, "active")
            await asyncio.sleep(0.03)

    async def load() -> None:
        for _ in range(40):
            await world.emit(5)

    await asyncio.gather(toggle(), load())
    rows = await world.settled(200)
    assert len(rows) == 200
    assert {r["status"] for r in rows} == {"delivered"}
    assert len({r.id for r in sink.requests}) == 200


async def test_a_disabled_subscription_lets_events_pass_by(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, state="disabled")
    await world.subscribe(f"{sink.url}/other")
    world.start()
    await world.emit(2)
    rows = await world.settled(2)
    assert subscription not in {r["subscription_id"] for r in rows}


async def test_waiting_deliveries_of_a_disabled_subscription_are_cancelled(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, backoffDelay="PT0.3S")
    sink.answer(503)
    world.start()
    await world.emit()
    await sink.wait(1)
    await save(world, subscription, "disabled")
    (row,) = await world.settled()
    assert row["status"] == "cancelled"
    assert row["last_status_code"] == 503


async def test_order_is_kept_by_partition_key(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, ordering="partitionkey", backoffDelay="PT0.02S", backoffMax="PT0.05S")
    seen: dict[str, int] = {}

    def choose(request: Received) -> Answer:
        # Every third request fails, so that order has something to hold against.
        identity = request.id or ""
        seen[identity] = seen.get(identity, 0) + 1
        return Answer(503 if len(seen) % 3 == 0 and seen[identity] == 1 else 200)

    sink.choose(choose)
    world.start()
    sent: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for number in range(8):
        for key, order in sent.items():
            await world.emit(id=f"{key}{number}", partitionkey=key)
            order.append(f"{key}{number}")
    rows = await world.settled(24)
    assert {r["status"] for r in rows} == {"delivered"}
    arrived: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for request in sink.requests:
        key, identity = request.header("ce-partitionkey"), request.header("ce-id")
        if not arrived[key] or arrived[key][-1] != identity:
            arrived[key].append(identity)
    assert arrived == sent


async def test_order_survives_a_pause(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, ordering="partitionkey")
    world.start()
    await save(world, subscription, "paused")
    for number in range(6):
        await world.emit(id=str(number), partitionkey="k")
    long_key = "k" * 5000
    await world.emit(id="long", partitionkey=long_key)

    async def held() -> bool:
        return sum(r["held"] for r in await world.deliveries()) == 7

    await world.until(held)
    await save(world, subscription, "active")
    await world.settled(7)
    got = [r.header("ce-id") for r in sink.requests if r.header("ce-id") != "long"]
    assert got == [str(n) for n in range(6)]
