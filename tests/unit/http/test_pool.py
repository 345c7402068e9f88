"""Connections that wait for their next request, and who gets how many of them."""

import asyncio
import random
import resource

from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from shared.http.answer import Opening
from shared.http.connection import Connection
from shared.http.descriptors import connections
from shared.http.pool import OPENINGS, Origin, Pool, origin_of
from shared.http.request import target_of


def origin(name: str) -> Origin:
    return origin_of(target_of(URL(f"http://{name}.test/")), None)


ORIGIN = origin("sink")


def opened() -> Connection:
    connection = Connection(Opening())
    connection.is_open = True
    return connection


async def open_now() -> Connection:
    return opened()


async def test_a_connection_that_closes_on_its_way_to_who_waits_is_not_used() -> None:
    """A server may close it right behind its answer: nobody's request is to be lost by that."""
    pool = Pool(4 * OPENINGS)
    ready = asyncio.Event()

    async def open_() -> Connection:
        await ready.wait()
        return opened()

    closing = await pool.get(ORIGIN, open_now)
    opening = [asyncio.create_task(pool.get(ORIGIN, open_)) for _ in range(OPENINGS)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(pool.get(ORIGIN, open_))
    await asyncio.sleep(0)
    pool.put(ORIGIN, closing)
    closing.is_open = False
    ready.set()
    assert (await waiting).is_open
    for task in opening:
        pool.put(ORIGIN, await task)
    pool.put(ORIGIN, waiting.result())
    assert pool.open == OPENINGS + 1
    pool.close()
    assert pool.open == 0


async def test_each_of_those_that_hang_gets_its_part_and_something_is_left() -> None:
    pool = Pool(100)
    greedy = [asyncio.create_task(pool.get(origin(f"s{n % 9}"), open_now)) for n in range(9 * 40)]
    for _ in range(5):
        await asyncio.sleep(0)
    got = [sum(task.done() for task in greedy[n::9]) for n in range(9)]
    assert max(got) - min(got) <= 1
    assert sum(got) == pool.open == 90
    # Another one gets some at once, though everything else hangs.
    mine = [asyncio.create_task(pool.get(ORIGIN, open_now)) for _ in range(20)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert sum(task.done() for task in mine) == 5
    for task in [*greedy, *mine]:
        task.cancel()


async def test_what_is_idle_is_there_for_all() -> None:
    pool = Pool(20)
    mine = [await pool.get(ORIGIN, open_now) for _ in range(10)]
    for connection in mine:
        pool.put(ORIGIN, connection)
    others = [asyncio.create_task(pool.get(origin(f"s{n % 2}"), open_now)) for n in range(24)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert sum(task.done() for task in others) == 14
    assert [connection.is_open for connection in mine].count(True) == 6
    # What it has idle is not all its own any more.
    taken = [pool.take(ORIGIN) for _ in range(6)]
    assert [connection is not None for connection in taken].count(True) == 3
    for task in others:
        task.cancel()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 12), origins=st.integers(1, 20))
def test_nobody_waits_for_ever_and_there_are_never_too_many(seed: int, limit: int, origins: int) -> None:
    rand = random.Random(seed)
    asyncio.run(_play(rand, limit, [origin(f"s{n}") for n in range(origins)]))


async def _play(rand: random.Random, limit: int, origins: list[Origin]) -> None:
    pool = Pool(limit)
    made = 0
    most = 0

    async def open_() -> Connection:
        await _turns(rand)
        if rand.random() < 0.1:
            raise OSError
        nonlocal made
        made += 1
        return opened()

    async def request(at: Origin) -> None:
        nonlocal most
        for _ in range(rand.randrange(1, 5)):
            connection = pool.take(at)
            if connection is None:
                try:
                    connection = await pool.get(at, open_)
                except OSError:
                    continue
            try:
                most = max(most, pool.open)
                await _turns(rand)
                connection.is_open = connection.is_open and rand.random() > 0.1
            finally:
                pool.put(at, connection)

    tasks = [asyncio.create_task(request(rand.choice(origins))) for _ in range(60)]
    for _ in range(20):
        await _turns(rand)
        rand.choice(tasks).cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert most <= limit
    assert pool.open == sum(len(server.idle) for server in pool._servers.values()) <= limit
    assert not pool._short
    pool.close()
    assert pool.open == 0


async def _turns(rand: random.Random) -> None:
    for _ in range(rand.randrange(4)):
        await asyncio.sleep(0)


def test_the_limit_of_open_files_is_raised_and_kept() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert connections(400) == 400
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 800
        assert connections(100) == 100
        assert connections(100, part=1 / 8) == 100
        assert connections(10 * before[1]) == before[1] // 2
        assert connections(10 * before[1], part=1 / 8) == before[1] // 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
