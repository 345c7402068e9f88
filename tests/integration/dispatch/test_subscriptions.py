"""What dispatch knows of subscriptions: read once, and again only where something changed."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.dispatch.subscriptions import CHUNK, Subscribers, SubscriptionCache
from shared.core.filters import Filter, compile_filters
from tests.integration.dispatch.conftest import World, event
from tests.support.sink import Sink


async def many(world: World, count: int) -> list[UUID]:
    ids = [uuid4() for _ in range(count)]
    await world.pool.executemany(
        "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery) VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (i, world.project.id, f"s-{n}", [{"exact": {"type": f"t{n}"}}], "http://127.0.0.1:9/", {})
            for n, i in enumerate(ids)
        ],
    )
    await bump(world)
    return ids


async def bump(world: World) -> int:
    version: int = await world.pool.fetchval(
        "UPDATE projects SET version = version + 1 WHERE id = $1 RETURNING version", world.project.id
    )
    return version


async def read(world: World, cache: SubscriptionCache) -> Subscribers:
    version = await world.pool.fetchval("SELECT version FROM projects WHERE id = $1", world.project.id)
    return await cache.get(world.project.id, version)


def who(found: Subscribers, type_: str) -> set[UUID]:
    return {s.id for s in found.matches(event(type=type_)).members}


async def test_a_change_reads_only_what_changed(world: World) -> None:
    ids = await many(world, CHUNK + 20)
    cache = SubscriptionCache(world.resources)
    found = await read(world, cache)
    assert set(found.by_id) == set(ids)
    assert who(found, "t7") == {ids[7]}
    before = dict(found.by_id)

    await world.pool.execute(
        "UPDATE subscriptions SET filters = $2, version = version + 1 WHERE id = $1",
        ids[7],
        [{"exact": {"type": "x"}}],
    )
    await world.pool.execute("UPDATE subscriptions SET state = 'disabled' WHERE id = $1", ids[8])
    await world.pool.execute("UPDATE subscriptions SET state = 'paused' WHERE id = $1", ids[9])
    await world.pool.execute("DELETE FROM subscriptions WHERE id = $1", ids[10])
    assert await cache.get(world.project.id, found.version) is found
    assert who(found, "t7") == {ids[7]}

    await bump(world)
    found = await read(world, cache)
    assert [who(found, name) for name in ("t7", "x", "t8", "t9", "t10", "t11")] == [
        set(), {ids[7]}, set(), {ids[9]}, set(), {ids[11]},
    ]  # fmt: skip
    assert ids[10] not in found.by_id
    again = {i for i in ids if i in found.by_id and found.by_id[i] is not before[i]}
    assert again == {ids[7], ids[8], ids[9]}


async def test_many_changes_at_once_are_one_change(world: World) -> None:
    ids = await many(world, CHUNK + 20)
    cache = SubscriptionCache(world.resources)
    first = await read(world, cache)
    kept = first.by_id[ids[-1]]
    await world.pool.execute(
        "UPDATE subscriptions SET version = version + 1, filters = $2 WHERE id = ANY($1)",
        ids[:-1],
        [{"exact": {"type": "x"}}],
    )
    await bump(world)
    found = await read(world, cache)
    assert who(found, "x") == set(ids[:-1])
    assert who(found, "t1") == set()
    assert found.by_id[ids[-1]] is kept


async def test_reading_many_gives_others_their_turn(world: World) -> None:
    await many(world, 3000)
    cache = SubscriptionCache(world.resources)
    version = await bump(world)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    readers = [asyncio.create_task(cache.get(world.project.id, version)) for _ in range(3)]
    found = await asyncio.gather(*readers)
    task.cancel()
    assert found[0] is found[1] is found[2]
    assert len(found[0].by_id) == 3000
    # Some of the turns are those of waiting for the statements: far more than these.
    assert turns > 3000 / CHUNK * 3


async def test_readers_of_an_older_version_do_not_take_changes_back(world: World) -> None:
    ids = await many(world, 3)
    cache = SubscriptionCache(world.resources)
    old = await bump(world)
    await cache.get(world.project.id, old)
    await world.pool.execute("DELETE FROM subscriptions WHERE id = $1", ids[0])
    new = await bump(world)
    found = await cache.get(world.project.id, new)
    assert await cache.get(world.project.id, old) is found
    assert ids[0] not in found.by_id


async def test_a_project_that_is_gone_has_no_subscriptions(world: World) -> None:
    await many(world, 2)
    cache = SubscriptionCache(world.resources)
    await read(world, cache)
    assert (await cache.get(world.project.id, None)).by_id == {}
    assert (await cache.get(uuid4(), 5)).by_id == {}


@pytest.mark.parametrize("change", ["filters", "state", "delete"])
async def test_an_event_after_the_answer_sees_the_change(world: World, sink: Sink, change: str) -> None:
    """The cache is warm, the change is committed, and the next event is decided by it."""
    steady = await world.subscribe(f"{sink.url}/steady")
    changing = await world.subscribe(f"{sink.url}/changing")
    world.start()
    await world.emit()
    assert {row["subscription_id"] for row in await world.settled(2)} == {steady, changing}
    for turn in range(3):
        async with world.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id
            )
            if change == "filters":
                await connection.execute(
                    "UPDATE subscriptions SET version = version + 1, filters = $2 WHERE id = $1",
                    changing, [{"exact": {"type": f"nobody.{turn}"}}],
                )  # fmt: skip
            elif change == "state":
                await connection.execute(
                    "UPDATE subscriptions SET state = 'disabled' WHERE id = $1", changing
                )
            else:
                await connection.execute("DELETE FROM subscriptions WHERE id = $1", changing)
        await world.emit()
        rows = await world.settled(3 + turn)
        assert sum(row["subscription_id"] == changing for row in rows) == 1


async def test_cel_sees_the_data_of_what_is_delivered(world: World, sink: Sink) -> None:
    wanted = await world.subscribe(
        f"{sink.url}/big", [{"cel": "data.n > 5"}, {"sql": "type LIKE '%a%' OR type LIKE '%o%'"}]
    )
    everything = await world.subscribe(f"{sink.url}/all")
    world.start()
    await world.send(event(data=b'{"n": 5}'), event(data=b'{"n": 6}'))
    rows = await world.settled(3)
    assert sum(row["subscription_id"] == wanted for row in rows) == 1
    assert sum(row["subscription_id"] == everything for row in rows) == 2
    assert [request.body for request in sink.requests if request.path.endswith("/big")] == [b'{"n": 6}']


async def test_an_index_that_fails_takes_no_event_from_anybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await many(world, 3)
    found = await read(world, SubscriptionCache(world.resources))

    def fails(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(found.index, "match", fails)
    assert who(found, "t1") == {ids[1]}


async def test_a_filter_that_raises_ends_its_own_delivery_alone(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await world.subscribe(sink.url, [{"prefix": {"type": "com."}}])
    good = await world.subscribe(f"{sink.url}/good", [{"exact": {"type": "com.example.made"}}])
    matches = Filter.matches

    def fails(self: Filter, *a: Any) -> bool:
        if self.key == compile_filters([{"prefix": {"type": "com."}}]).key:
            raise RuntimeError("no verdict")
        return matches(self, *a)

    monkeypatch.setattr(Filter, "matches", fails)
    world.start()
    await world.emit()
    rows = {row["subscription_id"]: row for row in await world.settled(2)}
    assert (rows[bad]["status"], rows[bad]["last_error"]) == ("dead", "could not be decided: RuntimeError")
    assert rows[good]["status"] == "delivered"
