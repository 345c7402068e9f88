"""Connections that wait for their next request."""

import asyncio

from yarl import URL

from shared.http.answer import Opening
from shared.http.connection import Connection
from shared.http.pool import OPENINGS, Pool, origin_of
from shared.http.request import target_of

ORIGIN = origin_of(target_of(URL("http://sink.test/")), None)


def opened() -> Connection:
    connection = Connection(Opening())
    connection.is_open = True
    return connection


async def test_a_connection_that_closes_on_its_way_to_who_waits_is_not_used() -> None:
    """A server may close it right behind its answer: nobody's request is to be lost by that."""
    pool = Pool(2 * OPENINGS)
    ready = asyncio.Event()

    async def open_() -> Connection:
        await ready.wait()
        return opened()

    opening = [asyncio.create_task(pool.get(ORIGIN, open_)) for _ in range(OPENINGS)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(pool.get(ORIGIN, open_))
    await asyncio.sleep(0)
    pool._open += 1  # one more was open before
    closing = opened()
    pool.put(ORIGIN, closing)
    closing.is_open = False
    ready.set()
    assert (await waiting).is_open
    for task in opening:
        pool.put(ORIGIN, await task)
    pool.put(ORIGIN, waiting.result())
    assert pool._open == OPENINGS + 1
    pool.close()
    assert pool._open == 0
