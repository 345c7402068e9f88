"""Ingest while its database stops, freezes or has no space: refused soon, recovered by itself, nothing lost."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import asyncpg
import httpx
import pytest

from cli.local.servers import PostgresServer
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_project
from tests.support.served import Served

SECRET = "a secret of the tests alone, 32 signs or more"
BATCH = "application/cloudevents-batch+json"
SIZE = 5
"""Events in a batch of `Load`."""


@dataclass
class Load:
    """Sends batches one after another on some connections, and keeps what was answered."""

    served: Served
    project: Project
    padding: int = 10
    statuses: Counter[int] = field(default_factory=Counter)
    uids: set[str] = field(default_factory=set)
    number: int = 0

    async def run(self, client: httpx.AsyncClient) -> None:
        """Until cancelled."""
        while True:
            await self.send(client)

    async def send(self, client: httpx.AsyncClient) -> int:
        """One batch; its status."""
        self.number += 1
        # What could be compressed would not fill a disk.
        elements = ",".join(
            f'{{"specversion":"1.0","id":"{self.number}-{n}","source":"/load","type":"t","data":"{token_hex(self.padding // 2)}"}}'
            for n in range(SIZE)
        )
        answer = await client.post(
            f"{self.served.url}/in/{self.project.name}",
            headers={**self.project.headers, "content-type": BATCH},
            content=f"[{elements}]",
        )
        self.statuses[answer.status_code] += 1
        if answer.status_code == 202:
            self.uids |= {result["uid"] for result in answer.json()["results"]}
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1
        return answer.status_code

    async def until(self, status: int) -> None:
        """Until a batch sent from now on has this answer."""
        had = self.statuses[status]
        async with asyncio.timeout(60):
            while self.statuses[status] == had:  # noqa: ASYNC110 the load runs beside
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self, connections: int = 8) -> AsyncIterator[None]:
        """The load runs."""
        async with httpx.AsyncClient(timeout=60) as client:
            tasks = [asyncio.ensure_future(self.run(client)) for _ in range(connections)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(one, asyncio.CancelledError) for one in done), done

    async def check(self, server: PostgresServer) -> None:
        """Every event that was acknowledged is there, and every batch that is there is there as a whole."""
        connection = await asyncpg.connect(server.url)
        try:
            rows = await connection.fetch(
                "SELECT uid, split_part(id, '-', 1) AS batch FROM events WHERE project_id = $1",
                self.project.id,
            )
        finally:
            await connection.close()
        assert self.uids <= {str(row["uid"]) for row in rows}
        assert set(Counter(row["batch"] for row in rows).values()) <= {SIZE}


@contextmanager
def database(home: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(home, None)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def load(server: PostgresServer, redis_url: str, padding: int = 10) -> AsyncIterator[Load]:
    """Ingest on that database, with a project."""
    await migrate(server.url)
    settings = Settings(database_url=server.url, redis_url=redis_url, secret=SECRET)
    connection = await asyncpg.connect(server.url)
    try:
        project = await create_project(connection, settings)
    finally:
        await connection.close()
    with Served(["-m", "shared.runtime.serve", "ingest"], settings) as served:
        yield Load(served, project, padding)


async def ready(load: Load, *, is_ready: bool) -> None:
    """Until the readiness probe says so."""
    async with httpx.AsyncClient(timeout=10) as client, asyncio.timeout(30):
        while (await client.get(f"{load.served.url}/readyz")).is_success is not is_ready:  # noqa: ASYNC110 a process of its own
            await asyncio.sleep(0.05)


def family(server: PostgresServer) -> list[int]:
    """The processes of the server."""
    postmaster = server._process.pid
    command = ["ps", "-o", "pid=", "--ppid", str(postmaster)]
    children = subprocess.run(command, capture_output=True, text=True, check=True)
    return [postmaster, *(int(pid) for pid in children.stdout.split())]


@asynccontextmanager
async def kept_up(server: PostgresServer) -> AsyncIterator[None]:
    """The server is started again whenever it has ended, as whoever runs one does.

    One whose log has no space ends in two steps, a moment after its first refusals.
    """

    async def watch() -> None:
        while True:
            if server._process.poll() is not None:
                await asyncio.to_thread(server.start)
            await asyncio.sleep(0.02)

    watching = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        watching.cancel()
        ended = (await asyncio.gather(watching, return_exceptions=True))[0]
        assert isinstance(ended, asyncio.CancelledError), ended


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """220 MiB at `place`."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=220m", "weir-test", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        assert os.environ.get("CI") != "true" or os.geteuid() != 0
        pytest.skip("mounting a small disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


async def test_a_database_that_stops_is_503_and_one_that_is_back_is_used(
    tmp_path: Path, redis_url: str
) -> None:
    with database(tmp_path) as server:
        async with load(server, redis_url) as sending:
            async with sending.running():
                await sending.until(202)
                await asyncio.to_thread(server.stop)
                await sending.until(503)
                await ready(sending, is_ready=False)
                await asyncio.to_thread(server.start)
                await sending.until(202)
                await ready(sending, is_ready=True)
            assert set(sending.statuses) == {202, 503}
            await sending.check(server)


async def test_behind_a_frozen_database_nobody_queues_up(tmp_path: Path, redis_url: str) -> None:
    with database(tmp_path) as server:
        async with load(server, redis_url) as sending:
            async with sending.running():
                await sending.until(202)
                frozen = family(server)
                for pid in frozen:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    # Those who were waiting have their time-out; those who come then are refused at once, while
                    # one after another tries: many more answers than connections.
                    await sending.until(503)
                    had = sending.statuses[503]
                    async with asyncio.timeout(60):
                        while sending.statuses[503] < had + 200:  # noqa: ASYNC110 the load runs beside
                            await asyncio.sleep(0.01)
                    await ready(sending, is_ready=False)
                finally:
                    for pid in frozen:
                        os.kill(pid, signal.SIGCONT)
                await sending.until(202)
                await ready(sending, is_ready=True)
            assert set(sending.statuses) == {202, 503}
            await sending.check(server)


async def test_without_space_nothing_is_half_stored(tmp_path: Path, redis_url: str) -> None:
    home = tmp_path / "small"
    home.mkdir()
    with small_disk(home), database(home) as server:
        async with load(server, redis_url, padding=20_000) as sending:
            async with sending.running():
                await sending.until(202)
                filler = server.data.parent / "filler"
                with filler.open("wb", buffering=0) as file:
                    left = os.statvfs(home)
                    file.write(bytes(left.f_bavail * left.f_frsize - 8 * 1024 * 1024))
                async with asyncio.timeout(60):
                    while not sending.statuses[507] + sending.statuses[503]:  # noqa: ASYNC110 the load runs beside
                        await asyncio.sleep(0.01)
                filler.unlink()
                async with kept_up(server):
                    await sending.until(202)
            assert set(sending.statuses) <= {202, 503, 507}
            await sending.check(server)
