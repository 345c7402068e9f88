"""The pool, with a server that stops answering."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
