"""How many events a second a producer may send: counted together by all processes, whatever becomes of Redis."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from redis import Redis

from cli.local.servers import RedisServer
from functions.ingest.app import create
from functions.ingest.limits import ASK_SECONDS, KEY, LEASE, Limits
from shared.core.problems import TOO_MANY_REQUESTS, Problem
from shared.core.token_bucket import Bucket, Limit
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.lag import turns
from tests.support.projects import Project, create_key, create_producer
from tests.support.served import Served
from tests.support.waiting import until

BATCH = "application/cloudevents-batch+json"


async def limit_project(pool: asyncpg.Pool, project: Project, rate: int, burst: int | None = None) -> None:
    await pool.execute(
        "UPDATE projects SET rate_per_second = $2, burst = $3 WHERE id = $1", project.id, rate, burst
    )


async def stored(pool: asyncpg.Pool, project: Project) -> int:
    return await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id)


async def until_taken(door: Door) -> None:
    """Send until an event is let through."""
    async with asyncio.timeout(60):
        while (await door.binary("later")).status_code == 429:
            pass


def batch(size: int, start: int = 0) -> bytes:
    return json.dumps(
        [{"specversion": "1.0", "id": f"b{start + n}", "source": "/tests", "type": "t"} for n in range(size)]
    ).encode()


async def test_without_a_limit_there_is_no_word_of_one_and_no_redis(door: Door, resources: Resources) -> None:
    resources.wake.listen(lambda shards: shards)  # so that no wake needs Redis
    for answer in (await door.binary(), await door.post(batch(3), BATCH)):
        assert answer.status_code == 202
        assert not [name for name in answer.headers if name.startswith("ratelimit")]
    assert resources._redis is None


@pytest.mark.spec("W10", "W10b")
async def test_a_limit_is_told_and_kept(door: Door, pool: asyncpg.Pool) -> None:
    await limit_project(pool, door.project, 2, 5)
    answers = [await door.binary(str(n)) for n in range(7)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429] * 2
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == '"producer";q=5;w=3'
        assert re.fullmatch(r'"producer";r=\d+;t=[1-9]\d*', answer.headers["ratelimit"])
    assert answers[0].headers["ratelimit"] == '"producer";r=4;t=2'
    refused = answers[-1]
    assert refused.json()["type"] == "https://weir.dev/problems/too-many-requests"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit"] == '"producer";r=0;t=1'
    assert await stored(pool, door.project) == 5
    await until_taken(door)


async def test_a_refused_event_is_not_read(door: Door, pool: asyncpg.Pool) -> None:
    await limit_project(pool, door.project, 1)
    assert (await door.binary()).status_code == 202
    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    answer = await door.client.post(
        door.path, headers={**door.project.headers, **HEADERS, "ce-id": "2"}, content=body()
    )
    assert (answer.status_code, read) == (429, [])


async def test_a_batch_counts_its_events_and_its_debt_is_paid(door: Door, pool: asyncpg.Pool) -> None:
    await limit_project(pool, door.project, 10, 20)
    assert (await door.post(b"[]", BATCH)).status_code == 202
    first = await door.post(batch(120), BATCH)
    assert (first.status_code, first.headers["ratelimit"]) == (202, '"producer";r=0;t=1')
    refused = await door.binary()
    assert refused.status_code == 429
    assert 9 <= int(refused.headers["retry-after"]) <= 11
    again = await door.post(batch(1, 1000), BATCH, prefer="handling=lenient")
    assert again.status_code == 429
    assert await stored(pool, door.project) == 120


async def test_a_bad_batch_counts_nothing(door: Door, pool: asyncpg.Pool) -> None:
    await limit_project(pool, door.project, 1)
    assert (await door.post(b'[{"id": "b"}]', BATCH)).status_code == 400
    lenient = await door.post(b'[{"id": "b"}]', BATCH, prefer="handling=lenient")
    assert lenient.status_code == 202
    assert (await door.binary()).status_code == 202


async def test_the_keys_of_a_producer_share_its_limit(
    door: Door, pool: asyncpg.Pool, settings: Settings
) -> None:
    await limit_project(pool, door.project, 1, 1)
    producer = await create_producer(pool, door.project.id, rate_per_second=1, burst=4)
    keys = [
        await create_key(pool, settings, door.project.id, ["events:write"], producer_id=producer)
        for _ in range(2)
    ]
    passed, began = 0, time.monotonic()
    for number in range(8):
        answer = await door.binary(str(number), authorization=f"Bearer {keys[number % 2]}")
        passed += answer.status_code == 202
    # Each second that it took is one more.
    assert 4 <= passed <= 4 + int(time.monotonic() - began)
    # The project's limit is for each of those who have none of their own.
    assert (await door.binary("own")).status_code == 202


async def test_many_events_cost_few_round_trips(door: Door, pool: asyncpg.Pool, redis_url: str) -> None:
    await limit_project(pool, door.project, 2_000)
    with Redis.from_url(redis_url) as redis:
        redis.config_resetstat()
        for number in range(300):
            assert (await door.binary(str(number))).status_code == 202
        calls = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
        assert 2 <= calls <= 60


@given(
    rate=st.integers(1, 1000),
    burst=st.integers(1, 1000),
    balance=st.floats(-2000, 1000).map(lambda n: round(n, 6)),
    ago=st.floats(-5, 5).map(lambda n: round(n, 6)),
    asked=st.tuples(st.integers(0, 50), st.integers(0, 50), st.floats(0, 50).map(lambda n: round(n, 6))),
)
@hypothesis_settings(
    max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_redis_counts_as_the_bucket_does(
    redis_url: str, rate: int, burst: int, balance: float, ago: float, asked: tuple[int, int, float]
) -> None:
    key = KEY.format("a test")
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        at = round(time.time() - ago, 6)
        redis.hset(key, mapping={"balance": balance, "at": at})
        given_there, left_there = redis.eval(LEASE, 1, key, rate, burst, *asked)
        bucket = Bucket(Limit(rate, burst), at)
        bucket.balance = balance
        seconds, micros = redis.time()
        kept = redis.hgetall(key)
        now = float(kept["at"]) if float(kept["at"]) != at else at
        assert now <= seconds + micros / 1e6 + 1.01
        given_here = bucket.lease(*asked, now)
        # Where a token is there by a hair or is not, rounding may decide.
        if abs(bucket.balance + given_here - round(bucket.balance + given_here)) > 1e-4:
            assert float(given_there) == pytest.approx(given_here)
            assert float(left_there) == pytest.approx(bucket.balance, abs=1e-3)
        assert 0 < redis.pttl(key) <= (burst + 2100) / rate * 1000 + 60_000
        redis.delete(key)


def test_a_bucket_that_nobody_has_used_is_full(redis_url: str) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        assert redis.eval(LEASE, 1, KEY.format("new"), 10, 20, 1, 4, 0) == ["5", "15.000000"]
        redis.delete(KEY.format("new"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may end and start again."""
    server = RedisServer(tmp_path / "redis", None, durable=False)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[Limits]:
    resources = Resources(settings)
    try:
        yield Limits(resources)
    finally:
        await resources.close()


async def enters(limits: Limits, limit: Limit, cost: int = 1) -> bool:
    try:
        await limits.enter("b", limit, cost)
    except Problem as problem:
        if problem.kind is not TOO_MANY_REQUESTS:
            raise
        return False
    return True


def in_hand(*processes: Limits) -> float:
    """How many tokens they have taken out of the bucket and not spent."""
    return sum(limits._held["b"].share._lease for limits in processes)


def owed(*processes: Limits) -> float:
    """How many they have spent without asking, because Redis was slow, and have not told it yet."""
    shares = [limits._held["b"].share for limits in processes]
    return sum(share.limit.burst - share._spent.level(time.monotonic()) for share in shares)


async def test_a_limit_outlives_redis(settings: Settings, own_redis: RedisServer) -> None:
    limit = Limit(100, 50)
    settings = settings.model_copy(update={"redis_url": type(settings.redis_url)(own_redis.url)})
    async with process(settings) as one, process(settings) as two, turns() as clock:
        began = time.monotonic()
        passed, slowest = 0, 0.0
        stopped_at = None
        enough = False
        while (elapsed := time.monotonic() - began) < 2 or (not enough and elapsed < 20):
            if elapsed > 0.5 and stopped_at is None:
                own_redis.stop()
                stopped_at = time.monotonic()
                at_stop, unpaid = passed, owed(one, two)
            started = clock()
            for limits in (one, two):
                passed += await enters(limits, limit)
            if stopped_at is not None:
                slowest = max(slowest, clock() - started)
                # A busy machine takes longer to ask for more than one process alone may have.
                enough = limit.rate_per_second * (time.monotonic() - stopped_at) * 1.2 < passed - at_stop
            await asyncio.sleep(0.001)
        assert stopped_at is not None
        # Shared before; each by itself after, beginning with what was known of the bucket.
        assert at_stop <= limit.burst + limit.rate_per_second * (stopped_at - began) + unpaid + 1
        alone = time.monotonic() - stopped_at
        assert enough
        assert passed - at_stop <= 2 * (limit.burst + limit.rate_per_second * alone)
        assert slowest < 0.5
        own_redis.start()
        async with asyncio.timeout(60):
            while one._away or two._away:
                await enters(one, limit)
                await enters(two, limit)
                await asyncio.sleep(0.01)
        began, passed = time.monotonic(), 0
        before = in_hand(one, two)
        while time.monotonic() - began < 1:
            for limits in (one, two):
                passed += await enters(limits, limit)
            await asyncio.sleep(0.001)
        allowed = limit.burst + limit.rate_per_second * (time.monotonic() - began)
        assert passed <= allowed + before + owed(one, two) + 1


async def test_a_redis_that_hangs_holds_nobody_up(settings: Settings, own_redis: RedisServer) -> None:
    limit = Limit(1_000, 1_000)
    settings = settings.model_copy(update={"redis_url": type(settings.redis_url)(own_redis.url)})
    async with process(settings) as limits, turns() as clock:
        assert await enters(limits, limit)
        assert own_redis._process is not None
        os.kill(own_redis._process.pid, signal.SIGSTOP)
        try:
            times = []
            for _ in range(300):
                started = clock()
                assert await enters(limits, limit)
                times.append(clock() - started)
                await asyncio.sleep(0.002)
            times.sort()
            assert times[150] == 0
            # Whoever waited for Redis would have waited until it is given up.
            assert times[-1] < ASK_SECONDS
        finally:
            os.kill(own_redis._process.pid, signal.SIGCONT)


@pytest.mark.usefixtures("pool")
async def test_two_processes_share_one_limit(
    settings: Settings, own_redis: RedisServer, project: Project, pool: asyncpg.Pool
) -> None:
    rate, burst = 20, 10
    await limit_project(pool, project, rate, burst)
    settings = settings.model_copy(update={"redis_url": type(settings.redis_url)(own_redis.url)})
    arguments = ["-m", "shared.runtime.serve", "ingest"]
    with Served(arguments, settings) as one, Served(arguments, settings) as two:
        async with httpx.AsyncClient(timeout=10) as client:

            async def send(url: str, number: int) -> int:
                headers = {**project.headers, **HEADERS, "ce-id": str(number)}
                return (await client.post(f"{url}/in/{project.name}", headers=headers)).status_code

            numbers = iter(range(1_000_000))

            async def load(seconds: float) -> list[int]:
                """What two clients of each process were answered, for so long and until one was refused."""
                until = time.monotonic() + seconds
                found: list[int] = []

                async def one_client(url: str) -> None:
                    while (now := time.monotonic()) < until or (429 not in found and now < until + 30):
                        found.append(await send(url, next(numbers)))

                await asyncio.gather(*(one_client(served.url) for served in (one, two) for _ in range(2)))
                return found

            for served in (one, two):
                await send(served.url, next(numbers))  # it loads its drivers
            before = await stored(pool, project)
            began = time.monotonic()
            # Long enough that what a busy machine lets through, because it would have had to wait for Redis too long,
            # is paid back: it is taken out of the bucket afterwards.
            found = await load(6)
            allowed = burst + rate * (time.monotonic() - began)
            assert set(found) == {202, 429}
            # Each by itself would come to twice that. What both held when this began comes on top.
            assert 0.7 * allowed < found.count(202) <= 1.2 * allowed + 2 * 2
            assert await stored(pool, project) - before == found.count(202)

            own_redis.stop()
            began = time.monotonic()
            found = await load(1.5)
            elapsed = time.monotonic() - began
            assert set(found) <= {202, 429}
            assert rate * elapsed * 1.2 < found.count(202) <= 2 * (burst + rate * elapsed)

            own_redis.start()

            async def is_shared_again() -> bool:
                """Each looks again within a second; and where a busy machine lets more through, it pays that back."""
                began = time.monotonic()
                found = await load(2)
                return found.count(202) <= 1.2 * (burst + rate * (time.monotonic() - began)) + 2 * 2

            await until(is_shared_again)
    for served in (one, two):
        assert '"level":"error"' not in served.errors


async def test_a_limit_that_changes_holds_within_a_second(door: Door, pool: asyncpg.Pool) -> None:
    await limit_project(pool, door.project, 1)
    assert (await door.binary("1")).status_code == 202
    assert (await door.binary("2")).status_code == 429
    await limit_project(pool, door.project, 1000)
    await until_taken(door)


async def test_a_process_without_redis_from_the_start_takes_events(
    settings: Settings, project: Project, pool: asyncpg.Pool
) -> None:
    await limit_project(pool, project, 3)
    nowhere = settings.model_copy(update={"redis_url": type(settings.redis_url)("redis://127.0.0.1:1/0")})
    resources = Resources(nowhere)
    try:
        transport = httpx.ASGITransport(create(resources))
        async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
            door = Door(client, project)
            found = [(await door.binary(str(n))).status_code for n in range(8)]
        assert found[:3] == [202] * 3
        assert 429 in found
    finally:
        await resources.close()
