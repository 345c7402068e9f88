"""Roles on servers where Weir is a guest: who migrates is no superuser, and others migrate beside it."""

import asyncio
import os
import re
import sys
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from events.housekeep.handler import Housekeep
from functions.ingest.settings import IngestSettings
from shared.core.cloudevents import Event
from shared.db.migrate import main, migrate, prepare
from shared.db.roles import PROJECT, SERVICE
from shared.db.security import MissingRoleError
from shared.intake.committer import Committer
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.operate.conftest import Servers
from tests.support.projects import create_project
from tests.support.stores import execute

PASSWORD = "only-in-this-test"


def as_user(url: str, user: str, database: str) -> str:
    """The address of that database for another user."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(netloc=f"{user}:{PASSWORD}@{parts.hostname}:{parts.port}", path=f"/{database}")
    )


async def migrate_apart(url: str) -> None:
    """Migrate in a process of its own: Alembic works on one database at a time."""
    command = (sys.executable, "-m", "shared.db.migrate")
    environment = {**os.environ, "WEIR_DATABASE_URL": url}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


async def test_a_guest_makes_the_roles_and_a_mere_member_works_with_them(
    servers: Servers, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.start()
    await execute(
        server.url,
        f"CREATE ROLE guest LOGIN CREATEROLE PASSWORD '{PASSWORD}'",
        f"CREATE ROLE runner LOGIN PASSWORD '{PASSWORD}'",
        f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'",
        *(f"CREATE DATABASE {name} OWNER guest" for name in ("one", "two", "three")),
        "CREATE DATABASE four OWNER plain",
    )
    databases = [as_user(server.url, "guest", name) for name in ("one", "two", "three")]

    # Roles are the server's: three databases make them at the same moment, and once more there is nothing to do.
    await asyncio.gather(*map(migrate_apart, databases))
    await asyncio.gather(*map(migrate_apart, databases))

    # Who owns nothing works as well as the owner, and by itself sees nothing.
    await execute(databases[0], f"GRANT {PROJECT}, {SERVICE} TO runner WITH INHERIT FALSE, SET TRUE")
    url = as_user(server.url, "runner", "one")
    resources = Resources(settings.model_copy(update={"database_url": SecretStr(url)}))
    try:
        project = await create_project(await resources.pg(), settings)
        committer = Committer(resources, IngestSettings())
        events = [Event("1.0", str(n), "/s", "t", data=b"x") for n in range(40)]
        assert len(await committer.store(project.id, "key:k", events)) == 40
        await Housekeep(resources).handle(None)  # type: ignore[arg-type]  # it does not look at the event
        own = await resources.of(project.id)
        assert await own.fetchval("SELECT count(*) FROM events") == 40
        assert await (await resources.pg()).fetchval("SELECT server_moved()") is False
        alone = await asyncpg.connect(url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await alone.fetch("SELECT FROM events")
        await alone.close()
    finally:
        await resources.close()

    # Who may not make or take on roles is told what to ask for, and is content with it.
    fourth = as_user(server.url, "plain", "four")
    with pytest.raises(MissingRoleError, match="plain may not"):
        await migrate(fourth)
    monkeypatch.setenv("WEIR_DATABASE_URL", fourth)
    assert await asyncio.to_thread(main, ["--roles"]) == 1
    said = capsys.readouterr().err
    (remedy,) = re.findall(r"run `(.*?)`", said)
    await execute(server.url, remedy.split("; ")[-1])
    assert await asyncio.to_thread(main, ["--roles"]) == 0
    await migrate(fourth)


async def test_a_database_without_the_roles_is_not_worked_on_with_more_rights(
    servers: Servers, settings: Settings
) -> None:
    """As after a restore that left the roles out: nothing is done as the owner, and migrating mends it."""
    server = servers.start()
    await migrate(server.url)
    await execute(
        server.url, f"DROP OWNED BY {PROJECT}, {SERVICE}", f"DROP ROLE {PROJECT}", f"DROP ROLE {SERVICE}"
    )
    resources = Resources(settings.model_copy(update={"database_url": SecretStr(server.url)}))
    try:
        with pytest.raises(asyncpg.PostgresError, match="does not exist"):
            await resources.pg()
        await migrate(server.url)
        project = await create_project(await resources.pg(), settings)
        assert await (await resources.of(project.id)).fetchval("SELECT count(*) FROM projects") == 1
    finally:
        await resources.close()


async def test_preparing_a_server_is_making_the_roles(servers: Servers) -> None:
    server = servers.start()
    await prepare(server.url)
    connection = await asyncpg.connect(server.url)
    found = await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'weir\\_%' ORDER BY 1")
    await connection.close()
    assert [row["rolname"] for row in found] == [PROJECT, SERVICE]
