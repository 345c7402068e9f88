"""The pool, with a server that stops answering."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from cli.local.servers import PostgresServer
from shared.db.pool import open_pool


@contextmanager
def frozen(server: PostgresServer) -> Iterator[None]:
    """None of the server's processes runs."""
    assert server._process is not None
    postmaster = server._process.pid
    command = ["ps", "-o", "pid=", "--ppid", str(postmaster)]
    children = subprocess.run(command, capture_output=True, text=True, check=True)
    family = [postmaster, *(int(pid) for pid in children.stdout.split())]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)


async def test_a_time_out_is_not_followed_by_a_wait_for_the_server(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, None)
    server.start()
    try:
        pool = await open_pool(server.url, size=1)
        assert await pool.fetchval("SELECT 1") == 1
        with frozen(server):
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                await pool.fetchval("SELECT 1", timeout=0.2)
            assert time.monotonic() - started < 3
        assert await pool.fetchval("SELECT 1") == 1
        with frozen(server):
            started = time.monotonic()
            asking = asyncio.create_task(pool.fetchval("SELECT 1"))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asking, 0.2)
            assert asking.cancelled()
            assert time.monotonic() - started < 3
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()
    finally:
        server.stop()


async def test_what_was_used_is_at_hand_for_the_next(database_url: str) -> None:
    pool = await open_pool(database_url, size=2)
    try:
        first = await pool.fetchval("SELECT pg_backend_pid()")
        assert [await pool.fetchval("SELECT pg_backend_pid()") for _ in range(3)] == [first] * 3
        async with pool.acquire() as one, pool.acquire() as other:
            assert await one.fetchval("SELECT pg_backend_pid()") == first
            assert await other.fetchval("SELECT pg_backend_pid()") != first
    finally:
        await pool.close()


async def test_whoever_waits_gets_the_one_that_is_given_back(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    try:
        async with pool.acquire() as connection:
            waiting = asyncio.create_task(pool.fetchval("SELECT 1"))
            assert await connection.fetchval("SELECT 2") == 2
            assert not waiting.done()
        assert await asyncio.wait_for(waiting, 5) == 1
        assert (
            await asyncio.wait_for(asyncio.gather(*(pool.fetchval("SELECT 3") for _ in range(9))), 5)
            == [3] * 9
        )
    finally:
        await pool.close()


async def test_a_transaction_that_was_left_open_is_not_the_next_ones(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    try:
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
        async with pool.acquire() as connection:
            assert not connection.is_in_transaction()
    finally:
        await pool.close()


async def test_one_that_broke_is_replaced(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    ending = await open_pool(database_url, size=1)
    try:
        pid = await pool.fetchval("SELECT pg_backend_pid()")
        assert await ending.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
        async with asyncio.timeout(5):
            while pool.get_idle_size() < pool.get_size():  # noqa: ASYNC110 the pool tells nobody
                await asyncio.sleep(0.01)
        assert await pool.fetchval("SELECT pg_backend_pid()") != pid
    finally:
        await pool.close()
        await ending.close()


async def test_what_nobody_asks_for_is_put_away(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.db.pool.AT_HAND_SECONDS", 0.05)
    pool = await open_pool(database_url, size=2)
    try:
        await asyncio.gather(pool.fetchval("SELECT 1"), pool.fetchval("SELECT 1"))
        async with asyncio.timeout(5):
            while pool.get_idle_size() < pool.get_size():  # noqa: ASYNC110 the pool tells nobody
                await asyncio.sleep(0.01)
    finally:
        await pool.close()


async def test_one_that_served_long_enough_is_replaced(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.pool.STATEMENTS", 20)
    pool = await open_pool(database_url, size=1)
    try:
        pids = [await pool.fetchval("SELECT pg_backend_pid()") for _ in range(60)]
        assert pids[0] == pids[1]
        assert len(set(pids)) >= 3
    finally:
        await pool.close()


async def test_a_second_release_gives_nobody_elses_away(database_url: str) -> None:
    pool = await open_pool(database_url, size=2)
    try:
        former = await pool.acquire()
        await pool.release(former)
        await pool.release(former)
        async with pool.acquire() as one, pool.acquire() as other:
            await pool.release(former)
            async with asyncio.timeout(5):
                pids = [await c.fetchval("SELECT pg_backend_pid()") for c in (one, other)]
            assert len(set(pids)) == 2
            third = asyncio.create_task(pool.fetchval("SELECT 3"))
            assert await one.fetchval("SELECT 1") == 1
            assert not third.done()
        assert await third == 3
    finally:
        await pool.close()


async def test_what_was_given_back_cannot_be_used(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    try:
        async with pool.acquire() as former:
            pass
        with pytest.raises(asyncpg.InterfaceError, match="released"):
            await former.fetchval("SELECT 1")
        async with pool.acquire() as connection:
            with pytest.raises(asyncpg.InterfaceError, match="released"):
                await former.fetchval("SELECT 1")
            assert await connection.fetchval("SELECT 2") == 2
    finally:
        await pool.close()


async def test_to_revive_while_the_server_is_away_raises_nothing(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, None)
    server.start()
    try:
        pool = await open_pool(server.url, size=2)
        async with pool.acquire() as connection:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
        server.stop()
        await asyncio.wait_for(ended.wait(), 30)
        await pool.revive()
        server.start()
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()
    finally:
        server.stop()
