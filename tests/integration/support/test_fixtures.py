"""The suite's own footing: stores, project and sink."""

import asyncpg
import httpx
import pytest

from shared.runtime.resources import Resources
from tests.support.projects import Project
from tests.support.sink import Answer, Sink


async def test_each_worker_has_a_migrated_database(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT count(*) FROM shards") == 16


async def test_redis_answers(resources: Resources) -> None:
    redis = await resources.redis()
    assert await redis.ping()


async def test_a_project_has_a_key(pool: asyncpg.Pool, project: Project) -> None:
    key_id = project.key.split("_")[1]
    assert await pool.fetchval("SELECT project_id FROM api_keys WHERE id = $1", key_id) == project.id


async def test_the_sink_follows_its_script(sink: Sink) -> None:
    sink.answers([503, Answer(429, {"retry-after": "1"})], then=204)
    async with httpx.AsyncClient() as client:
        codes = [(await client.post(sink.url + "/a?b=1", content=b"x")).status_code for _ in range(3)]
    assert codes == [503, 429, 204]
    first = (await sink.wait(3))[0]
    assert (first.method, first.path, first.body) == ("POST", "/a?b=1", b"x")


async def test_the_sink_hangs_and_drops(sink: Sink) -> None:
    async with httpx.AsyncClient(timeout=0.2) as client:
        sink.answer(hang=True)
        with pytest.raises(httpx.ReadTimeout):
            await client.post(sink.url)
        sink.answer(drop=True)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(sink.url)
