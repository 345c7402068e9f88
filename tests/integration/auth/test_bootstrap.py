"""The local owner, made at the first start and found at every other."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from shared.auth.authority import authorize
from shared.auth.bootstrap import Bootstrap, ensure_local_owner
from shared.auth.permissions import PERMISSIONS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings


@pytest.fixture
def project() -> str:
    return f"local-{uuid4().hex[:8]}"


async def ensure(pool: asyncpg.Pool, settings: Settings, project: str, known_key: str | None) -> Bootstrap:
    async with pool.acquire() as connection:
        return await ensure_local_owner(connection, settings.secret, known_key=known_key, project=project)


async def test_a_second_start_changes_nothing(
    pool: asyncpg.Pool, settings: Settings, resources: Resources, project: str
) -> None:
    first = await ensure(pool, settings, project, None)
    assert await ensure(pool, settings, project, first.api_key) == first
    access = await authorize(resources, f"Bearer {first.api_key}", project, "events:write")
    assert access.permissions == PERMISSIONS
    assert first.api_key not in repr(first)


@pytest.mark.parametrize("known_key", [None, "", "weir_x_y", f"weir_{'a' * 12}_{'b' * 43}"])
async def test_a_lost_key_is_made_anew(
    pool: asyncpg.Pool, settings: Settings, resources: Resources, project: str, known_key: str | None
) -> None:
    first = await ensure(pool, settings, project, None)
    second = await ensure(pool, settings, project, known_key)
    assert second.api_key != first.api_key
    assert second.user_id == first.user_id
    await authorize(resources, f"Bearer {second.api_key}", project, "events:write")


async def test_a_revoked_key_is_made_anew(pool: asyncpg.Pool, settings: Settings, project: str) -> None:
    first = await ensure(pool, settings, project, None)
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1", first.api_key.split("_")[1])
    assert (await ensure(pool, settings, project, first.api_key)).api_key != first.api_key


async def test_racing_starts_agree_on_one_owner(pool: asyncpg.Pool, settings: Settings, project: str) -> None:
    found = await asyncio.gather(*(ensure(pool, settings, project, None) for _ in range(5)))
    assert len({bootstrap.user_id for bootstrap in found}) == 1
    members = await pool.fetchval(
        "SELECT count(*) FROM members m JOIN projects p ON p.id = m.project_id WHERE p.name = $1", project
    )
    assert members == 1
