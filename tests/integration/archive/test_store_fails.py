"""A store that is gone, or full: nothing is dropped, it is said, and it goes on by itself."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from functions.archive.app import create as create_archive
from shared.archive.wanted import received_at
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.archive.conftest import Keeping, a_day, erase
from tests.integration.archive.killed import tick_elsewhere
from tests.support import stream
from tests.support.projects import create_project


@pytest.fixture
async def ask(resources: Resources, keeping: Keeping) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://weir.test/v1/projects/{keeping.project.name}"
    transport = httpx.ASGITransport(create_archive(resources))
    async with httpx.AsyncClient(
        transport=transport, base_url=base, headers=keeping.project.headers
    ) as opened:
        yield opened


async def waiting(ask: httpx.AsyncClient) -> list[tuple[str, int, str]]:
    """What is said to wait, in both places that say it."""
    said: list[dict[str, Any]] = (await ask.get("/retention")).json()["waiting"]
    assert (await ask.get("/archive/days")).json()["waiting"] == said
    return [(one["reason"], one["days"], one["oldest"]) for one in said]


async def test_a_disk_that_is_full(keeping: Keeping, settings: Settings, ask: httpx.AsyncClient) -> None:
    day = a_day()
    data = b'"%s"' % bytes(range(0x30, 0x5B)).hex().encode()
    uids = await keeping.store([stream.an_event(n, data=data) for n in range(50)], day)
    await keeping.keep(7)
    assert await tick_elsewhere(settings, keeping.folder, room=64) == 0
    assert await keeping.rows() == set(uids)
    # Nor does what could not be written take the room that somebody makes.
    assert keeping.files(day) == []
    assert await waiting(ask) == [("store", 1, day.isoformat())]

    await keeping.tick()
    assert await keeping.rows() == set()
    assert len(keeping.files(day)) == 2
    assert await waiting(ask) == []


async def test_a_store_that_is_gone(keeping: Keeping, resources: Resources, ask: httpx.AsyncClient) -> None:
    newer, older = a_day(), a_day()
    stored = [await keeping.store([stream.an_event(1, subject="mara")], day) for day in (older, newer)]
    other = await create_project(keeping.pool, resources.settings)
    theirs = await stream.store(keeping.pool, other.id, [stream.an_event(1)], at=received_at(stored[0][0]))
    await keeping.pool.execute(
        "UPDATE projects SET retention_days = 7, archive_days = 0 WHERE id = $1", other.id
    )
    await keeping.keep(7)
    keeping.folder.write_text("where the disk was mounted, there is none")
    await keeping.tick()
    assert await keeping.rows() == {uid for uids in stored for uid in uids}
    assert await waiting(ask) == [("store", 2, older.isoformat())]
    since = (await ask.get("/retention")).json()["waiting"][0]["since"]
    # Whoever wants no archive waits for none.
    assert not await keeping.pool.fetchval("SELECT count(*) FROM events WHERE uid = ANY($1)", theirs)
    asked = await erase(keeping, "nobody")
    await keeping.tick()
    assert (await ask.get("/retention")).json()["waiting"][0]["since"] == since

    keeping.folder.unlink()
    await keeping.tick()
    await keeping.tick()
    assert await keeping.rows() == set()
    assert await waiting(ask) == []
    assert await keeping.pool.fetchval("SELECT state FROM erasures WHERE id = $1", asked) == "done"
    await keeping.pool.execute("UPDATE projects SET retention_days = NULL WHERE id = $1", other.id)
