import asyncio
from collections.abc import Set as AbstractSet

import asyncpg
import pytest
from pydantic import SecretStr

from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.waiting import until


async def test_many_askers_share_one_pool(resources):
    pools = await asyncio.gather(*(resources.pg() for _ in range(20)))
    assert len(set(map(id, pools))) == 1
    assert await pools[0].fetchval("SELECT 1") == 1


async def test_many_askers_share_one_failure_and_the_next_may_succeed(settings):
    attempts = 0

    async def refuse(_reader, writer):
        nonlocal attempts
        attempts += 1
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable"
        resources = Resources(settings.model_copy(update={"database_url": SecretStr(url)}))
        errors = await asyncio.gather(*(resources.pg() for _ in range(20)), return_exceptions=True)
    assert all(is_outage(error) for error in errors), errors
    assert attempts == 1

    resources.settings = settings
    assert await (await resources.pg()).fetchval("SELECT 1") == 1
    await resources.close()


async def test_an_asker_that_gives_up_does_not_spoil_it_for_the_others(resources):
    impatient = asyncio.ensure_future(resources.pg())
    patient = asyncio.ensure_future(resources.pg())
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert await (await patient).fetchval("SELECT 1") == 1


async def others(pool: asyncpg.Pool, than: AbstractSet[int] = frozenset()) -> set[int]:
    """Which connections there are to this database but this one and those, by the server's process ids."""
    rows = await pool.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return {row["pid"] for row in rows} - than


async def test_a_pool_that_nobody_waits_for_any_more_is_closed_with_the_others(
    settings: Settings, pool: asyncpg.Pool
) -> None:
    before = await others(pool)
    resources = Resources(settings)
    asker = asyncio.ensure_future(resources.pg())
    await asyncio.sleep(0)
    asker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asker
    opened = await until(lambda: others(pool, before))
    await resources.close()

    async def are_closed() -> bool:
        return not opened & await others(pool, before)

    await until(are_closed)


@pytest.mark.parametrize("moments", range(12))
async def test_one_that_is_being_opened_is_closed_as_well(
    settings: Settings, pool: asyncpg.Pool, moments: int
) -> None:
    before = await others(pool)
    resources = Resources(settings)
    asker = asyncio.ensure_future(resources.pg())
    for _ in range(moments):
        await asyncio.sleep(0.001)
    await resources.close()
    await asyncio.wait([asker])

    async def are_closed() -> bool:
        return not await others(pool, before)

    await until(are_closed)


async def test_redis_is_opened_once(resources):
    assert await resources.redis() is await resources.redis()
    assert await (await resources.redis()).ping()


async def test_statements_of_the_stream_are_planned_once(resources: Resources) -> None:
    setting = "SELECT current_setting('plan_cache_mode')"
    assert await (await resources.stream()).fetchval(setting) == "force_generic_plan"
    assert await (await resources.pg()).fetchval(setting) == "auto"
