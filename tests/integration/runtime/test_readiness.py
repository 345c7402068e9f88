"""No function is ready on a database that lacks a migration: a new revision gets no traffic before its schema is there."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from shared.db import revision
from shared.db.migrate import migrate, status
from shared.db.revision import needed_revision
from shared.runtime.app import endpoint_app
from shared.runtime.function import Function
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

FUNCTION = Function(name="trial", summary="", entry="", routes=("/",))


@pytest.fixture
async def fresh(database_url: str, settings: Settings) -> AsyncIterator[Settings]:
    """Settings that name a database with nothing in it."""
    name = f"readiness_{uuid4().hex}"
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
        yield settings.model_copy(update={"database_url": SecretStr(url)})
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def readiness(settings: Settings) -> tuple[int, str]:
    resources = Resources(settings)
    await resources.pg()  # the check has a limit of its own, which connecting is not to use up
    transport = httpx.ASGITransport(endpoint_app(FUNCTION, resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        answer = await client.get("/readyz")
    await resources.close()
    return answer.status_code, answer.json().get("detail", "")


async def revise(settings: Settings, number: str) -> None:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.execute("UPDATE alembic_version SET version_num = $1", number)
    await connection.close()


def test_what_is_needed_is_the_last_migration_that_adds(tmp_path, monkeypatch):
    monkeypatch.setattr(revision, "VERSIONS", tmp_path)
    (tmp_path / "0001_first.py").write_text('revision = "0001"\n')
    (tmp_path / "0002_more.py").write_text('revision = "0002"\nphase = "expand"\n')
    (tmp_path / "0003_less.py").write_text('revision = "0003"\nphase = "contract"\n')
    (tmp_path / "__init__.py").write_text("")
    assert needed_revision.__wrapped__() == "0002"
    (tmp_path / "0004_more_again.py").write_text('"""Has no phase = "contract"."""\nrevision = "0004"\n')
    assert needed_revision.__wrapped__() == "0004"


async def test_what_is_needed_is_no_more_than_alembic_has(database_url):
    current, head = await status(database_url)
    assert needed_revision() <= current == head


async def test_readiness_waits_for_the_migration(fresh):
    code, detail = await readiness(fresh)
    assert code == 503
    assert "the database is empty" in detail
    assert needed_revision() in detail

    await migrate(fresh.database_url.get_secret_value())
    assert await readiness(fresh) == (200, "")

    await revise(fresh, "0001")
    code, detail = await readiness(fresh)
    assert code == 503
    assert "the database is at revision 0001" in detail


async def test_a_later_revision_is_well(fresh):
    """Two versions run side by side while one replaces the other: the one before meets the schema of the next."""
    await migrate(fresh.database_url.get_secret_value())
    await revise(fresh, f"{int(needed_revision()) + 1:04}")
    assert await readiness(fresh) == (200, "")
