"""Searches are answered by a replica; what it does not have yet is not missing for whoever asks for it by name."""

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from functions.explore.app import create
from shared.db.migrate import migrate
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.operate.conftest import Servers
from tests.support import stream
from tests.support.projects import Project, create_project
from tests.support.waiting import until


async def test_a_replica_that_is_behind(servers: Servers, settings: Settings) -> None:
    primary = servers.start()
    await migrate(primary.url)
    replica = servers.replica(primary)
    follower = await asyncpg.connect(replica.url)
    read = {"database_url": SecretStr(primary.url), "database_read_url": SecretStr(replica.url)}
    resources = Resources(settings.model_copy(update=read))
    try:
        pool = await resources.pg()
        project = await create_project(pool, settings)
        base = f"http://weir.test/v1/projects/{project.name}"
        transport = httpx.ASGITransport(create(resources))
        async with httpx.AsyncClient(transport=transport, base_url=base, headers=project.headers) as client:

            async def listed() -> set[str]:
                answer = await client.get("/events")
                assert answer.status_code == 200, answer.text
                return {item["uid"] for item in answer.json()["items"]}

            async def has(uid: str) -> bool:
                return uid in await listed()

            (old,) = await stream.store(pool, project.id, [stream.an_event(1)])
            await until(lambda: has(str(old)), 90)
            await follower.execute("SELECT pg_wal_replay_pause()")
            await until(lambda: follower.fetchval("SELECT pg_get_wal_replay_pause_state() = 'paused'"), 90)
            (new,) = await stream.store(pool, project.id, [stream.an_event(2)])
            assert await listed() == {str(old)}
            assert (await client.get(f"/events/{new}")).status_code == 200
            assert (await client.get(f"/events/{new}/explain")).status_code == 200
            assert (await client.get("/events/0197f3c8-0000-7000-8000-000000000000")).status_code == 404
            await follower.execute("SELECT pg_wal_replay_resume()")
            await until(lambda: has(str(new)), 90)
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await (await resources.reading_of(project.id)).execute("UPDATE deliveries SET held = held")
    finally:
        await follower.close()
        await resources.close()


async def test_without_one_the_database_itself_is_asked(resources: Resources, project: Project) -> None:
    of, reading = await resources.of(project.id), await resources.reading_of(project.id)
    pid = "SELECT pg_backend_pid()"
    assert await reading.fetchval(pid) == await of.fetchval(pid)
