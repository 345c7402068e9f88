"""What `housekeep` shows among its metrics is what is the case in the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from events.housekeep.function import FUNCTION
from events.housekeep.gauges import Gauges
from events.housekeep.handler import create
from shared.db.pool import open_pool
from shared.runtime.handler_app import handler_app
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World, world
from tests.integration.explore.conftest import subscribe
from tests.support import stream
from tests.support.certificates import Authority
from tests.support.metrics import values
from tests.support.projects import create_project
from tests.support.sink import Sink

__all__ = ["world"]

Scrape = Callable[[], Awaitable[dict[str, float]]]


@pytest.fixture
async def opened(fresh_url: str, settings: Settings) -> AsyncIterator[Resources]:
    more = {"database_url": SecretStr(fresh_url), "metrics_token": SecretStr("shown")}
    resources = Resources(settings.model_copy(update=more))
    yield resources
    await resources.close()


@pytest.fixture
async def db(fresh_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(fresh_url, size=2)
    yield pool
    await pool.close()


@pytest.fixture
async def project_id(db: asyncpg.Pool, settings: Settings) -> UUID:
    return (await create_project(db, settings)).id


async def scrape(resources: Resources) -> dict[str, float]:
    """As somebody does who has not asked for a while."""
    handler = create(resources)
    transport = httpx.ASGITransport(handler_app(FUNCTION, resources, handler))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        answer = await client.get("/metrics", headers={"authorization": "Bearer shown"})
    assert answer.status_code == 200
    return values(answer.text)


async def test_of_an_idle_weir(opened: Resources, db: asyncpg.Pool) -> None:
    await create(opened).handle({"type": "dev.weir.tick", "source": "/weir", "data": {}})
    found = await scrape(opened)
    assert found["weir_database_up"] == 1
    for name in ("unread_events", "unread_seconds", "shards_unowned", "overdue_seconds", "circuits_open"):
        assert found[f"weir_{name}"] == 0
    assert found["weir_partition_days_ahead"] == 2
    assert found["weir_database_bytes"] > 1_000_000
    assert (
        0
        < found['weir_database_connections{state="used"}']
        < found['weir_database_connections{state="limit"}']
    )
    assert found['weir_tick_age_seconds{function="housekeep"}'] < 60
    assert "weir_replica_lag_seconds" not in found
    assert found['weir_database_pool_connections{state="limit"}'] == 8


async def test_of_a_backlog_that_nobody_works_on(
    opened: Resources, db: asyncpg.Pool, project_id: UUID
) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    uids = await stream.store(db, project_id, [stream.an_event(n) for n in range(4)], at=at)
    await db.execute("UPDATE events SET shard = 3 WHERE uid = $1", uids[0])
    await db.execute("UPDATE events SET shard = 4 WHERE uid = $1", uids[1])
    await db.execute(
        "UPDATE shards SET owner = 'somebody', lease_until = now() + interval '1 m' WHERE shard = 4"
    )
    found = await scrape(opened)
    assert found["weir_unread_events"] == 2
    assert 300 <= found["weir_unread_seconds"] < 400
    assert found["weir_shards_unowned"] == 1
    await db.execute("UPDATE shards SET cursor_xid = pg_current_xact_id()")
    assert (await scrape(opened))["weir_unread_events"] == 0


async def test_of_what_is_overdue_retrying_and_dead(
    opened: Resources, db: asyncpg.Pool, project_id: UUID
) -> None:
    now = datetime.now(UTC)
    uids = await stream.store(db, project_id, [stream.an_event(n) for n in range(4)])
    well = await subscribe(db, project_id, "well", [])
    unwell = await subscribe(db, project_id, "unwell", [])
    await stream.deliver(
        db, project_id, uids[0], well, "retrying", next_attempt_at=now - timedelta(minutes=3)
    )
    await stream.deliver(
        db, project_id, uids[1], well, "retrying", next_attempt_at=now + timedelta(minutes=3)
    )
    await stream.deliver(db, project_id, uids[2], well, "dead")
    await stream.deliver(
        db, project_id, uids[0], unwell, "retrying", next_attempt_at=now - timedelta(hours=1)
    )
    await db.execute(
        """
        INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, until, expires_at)
        VALUES ($1, 'somebody', 1, 'open', now(), now() + interval '1 m', now() + interval '1 m')
        """,
        unwell,
    )
    found = await scrape(opened)
    assert 180 <= found["weir_overdue_seconds"] < 240
    assert (found["weir_deliveries_retrying"], found["weir_dead_letters_day"]) == (3, 1)
    assert found["weir_circuits_open"] == 1


async def test_of_what_expires(opened: Resources, db: asyncpg.Pool, project_id: UUID) -> None:
    await db.execute(
        "UPDATE api_keys SET expires_at = now() + interval '3 days', last_used_at = now() WHERE project_id = $1",
        project_id,
    )
    identity = await subscribe(db, project_id, "shown", [])
    certificate, _ = Authority().certificate("weir")
    await db.execute(
        "UPDATE subscriptions SET tls = $1 WHERE id = $2", {"certificate": certificate}, identity
    )
    found = await scrape(opened)
    assert found["weir_api_keys_expiring"] == 1
    assert found["weir_client_certificate_seconds"] > 0


async def test_of_retention_that_waits(
    opened: Resources, db: asyncpg.Pool, project_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEIR_ARCHIVE_URL", raising=False)
    long_ago = datetime.now(UTC) - timedelta(days=90)
    for days in range(2):
        await stream.store(db, project_id, [stream.an_event(days)], at=long_ago + timedelta(days=days))
    await db.execute("UPDATE projects SET retention_days = 7 WHERE id = $1", project_id)
    tick = {"type": "dev.weir.tick", "source": "/weir", "data": {}}
    await create(opened).handle(tick)
    # Whoever is asked need not be who has looked.
    found = await scrape(opened)
    assert found['weir_retention_waiting_days{reason="archive"}'] == 2
    assert found['weir_retention_waiting_days{reason="store"}'] == 0
    await db.execute("UPDATE projects SET archive_days = 0 WHERE id = $1", project_id)
    await create(opened).handle(tick)
    assert (await scrape(opened))['weir_retention_waiting_days{reason="archive"}'] == 0


async def test_without_a_database_the_rest_is_shown(settings: Settings) -> None:
    gone = {
        "database_url": SecretStr("postgresql://weir@127.0.0.1:1/weir"),
        "metrics_token": SecretStr("shown"),
    }
    resources = Resources(settings.model_copy(update=gone))
    found = await scrape(resources)
    assert found["weir_database_up"] == 0
    assert "weir_unread_events" not in found
    await resources.close()


async def test_of_a_database_that_is_away_nobody_asks_twice_at_once(settings: Settings) -> None:
    asked = 0

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        gone = {"database_url": SecretStr(f"postgresql://weir@127.0.0.1:{port}/weir")}
        resources = Resources(settings.model_copy(update=gone))
        gauges = Gauges(resources)
        await gauges.measure()
        first = asked
        await gauges.measure()
        assert asked == first > 0
        await resources.close()


async def test_of_what_a_dispatcher_counts(world: World, sink: Sink) -> None:
    before = values(METRICS.render())
    sink.answers([400], then=200)
    await world.subscribe(sink.url)
    world.start()
    await world.emit(2)
    world.tick()
    await world.settled(2)
    after = values(METRICS.render())

    def counted(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert counted('weir_attempts_total{status="dead"}') == 1
    assert counted('weir_attempts_total{status="delivered"}') == 1
    assert counted("weir_delivery_seconds_count") == 1
    assert 0 < counted("weir_delivery_seconds_sum") < 60
    assert await world.pool.fetchval(
        "SELECT now() - came_at < '1 minute' FROM ticks WHERE function = 'dispatch'"
    )


async def test_of_shards_that_were_left(world: World, sink: Sink) -> None:
    await world.pool.execute(
        "UPDATE shards SET owner = 'gone', lease_until = now() - interval '1 s' WHERE shard < 3"
    )
    before = values(METRICS.render()).get("weir_shard_takeovers_total", 0)
    world.start()
    world.tick()

    async def taken() -> bool:
        return values(METRICS.render()).get("weir_shard_takeovers_total", 0) == before + 3

    await world.until(taken)
