"""A Postgres that can be lost, and the programs that bring its data back."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from cli.local import launch
from cli.local.accounts import account_for
from cli.local.binaries import postgres_bin
from cli.local.servers import PostgresServer
from shared.db.migrate import migrate
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.projects import create_project
from tests.support.stores import execute

BURN = """
DO $$ BEGIN
    FOR n IN 1..{count} LOOP
        PERFORM pg_current_xact_id();
        COMMIT;
    END LOOP;
END $$
"""


class Servers:
    """Postgres servers below one folder, each with data of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[PostgresServer] = []

    def start(self) -> PostgresServer:
        """A new one with an empty database."""
        server = PostgresServer(self._folder / f"server-{len(self._running)}", None, durable=False)
        self._running.append(server)
        server.start()
        return server

    def replica(self, primary: PostgresServer) -> PostgresServer:
        """One that follows `primary`, byte by byte."""
        home = self._folder / f"server-{len(self._running)}"
        home.mkdir()
        (home / "postgres-password").write_text((primary.home / "postgres-password").read_text())
        account = account_for(home, postgres_bin(), launch.held_capability())
        data = account.data_root / "postgres"
        run("pg_basebackup", "--write-recovery-conf", f"--pgdata={data}", f"--dbname={primary.url}")
        if account.user is not None:
            for path in (data, *data.rglob("*")):
                os.chown(path, *account.user, follow_symlinks=False)
        server = PostgresServer(home, None, durable=False)
        self._running.append(server)
        server.start()
        return server

    def stop(self) -> None:
        """End all of them."""
        for server in self._running:
            server.stop()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    found = Servers(tmp_path)
    yield found
    found.stop()


def run(program: str, *arguments: str) -> str:
    """What a program of Postgres prints; it has to succeed."""
    done = subprocess.run(
        [str(postgres_bin() / program), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
    return done.stdout


async def burn(url: str, count: int) -> None:
    """Use up transaction ids, as a server does that has been in use for long."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(BURN.format(count=count))
    finally:
        await connection.close()


@asynccontextmanager
async def world_on(settings: Settings, url: str, world: World | None = None) -> AsyncIterator[World]:
    """A project in the database `url`, or the one of `world`, which was copied there."""
    resources = Resources(settings.model_copy(update={"database_url": SecretStr(url)}))
    pool = await resources.pg()
    made = World(resources, pool, world.project if world else await create_project(pool, settings))
    try:
        yield made
        for handler in made.handlers:
            await handler.drain()
    finally:
        await resources.close()


@pytest.fixture
async def fresh_url(database_url: str) -> AsyncIterator[str]:
    """A migrated database of its own: what is measured is of all projects."""
    name = f"operate_{uuid4().hex}"
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    await execute(database_url, f'CREATE DATABASE "{name}"')
    await migrate(url)
    yield url
    await execute(database_url, f'DROP DATABASE "{name}" WITH (FORCE)')
