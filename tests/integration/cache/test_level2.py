"""Two processes and a real Redis between them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import asyncpg
import pytest
from pydantic import SecretStr

from cli.local.servers import RedisServer
from shared.auth.authority import authority_of, authorize
from shared.auth.remembered import REMEMBER_SECONDS
from shared.cache import level2
from shared.cache.lookup import Lookup
from shared.cache.shelf import Shelf
from shared.cache.tally import tally_of
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.cache.conftest import opened
from tests.support.lag import turns
from tests.support.projects import Project
from tests.support.served import ROOT
from tests.support.waiting import until

Process = Callable[..., Resources]
NO_DATABASE = {"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none")}


class Store:
    """What a test's cache stands before."""

    def __init__(self) -> None:
        self.value: str | None = "first"
        self.loads = 0

    async def load(self, _key: str) -> str | None:
        self.loads += 1
        return self.value


def cache_of(
    resources: Resources, store: Store, kind: object = str | None, **options: object
) -> Lookup[str, str | None]:
    """A cache of a minute: what is seen sooner was told."""
    shelf: Shelf[str, str | None] = Shelf(
        resources.cache,
        "test",
        kind,
        name_of=str,
        key_of=str,
        seconds=60,
        **options,  # type: ignore[arg-type]
    )
    return Lookup(store.load, name="test", seconds=60, second=shelf)


async def is_let_in(resources: Resources, project: Project) -> bool:
    try:
        await authorize(resources, f"Bearer {project.key}", project.name, "events:read")
    except Problem:
        return False
    return True


async def stored(redis: RedisServer) -> dict[str, str]:
    """All that lies in Redis as texts."""
    from redis.asyncio import Redis

    async with Redis.from_url(redis.url, decode_responses=True) as client:
        return {key: str(await client.get(key)) async for key in client.scan_iter("weir:cache:*")}


async def test_what_one_process_has_loaded_another_need_not(process: Process, project: Project) -> None:
    first, second = process(), process(**NO_DATABASE)
    await asyncio.gather(opened(first.cache), opened(second.cache))
    hits = tally_of("keys").hits_in_redis

    async def both() -> bool:
        assert await is_let_in(first, project)
        try:
            return await is_let_in(second, project)
        except OSError:
            return False  # it came in the moment between the end of one entry and the next

    assert await until(both)
    assert tally_of("keys").hits_in_redis > hits


async def test_nothing_that_opens_a_door_lies_in_redis(
    process: Process, redis: RedisServer, project: Project, settings: Settings
) -> None:
    first = process()
    await opened(first.cache)

    async def is_kept() -> dict[str, str]:
        await is_let_in(first, project)
        return await stored(redis)

    kept = str(await until(is_kept))
    assert project.name in kept
    assert project.key.rpartition("_")[2] not in kept
    assert settings.secret.get_secret_value() not in kept


async def test_a_change_is_told_to_all(process: Process) -> None:
    first, second = process(), process()
    await asyncio.gather(opened(first.cache), opened(second.cache))
    store = Store()
    here, there = cache_of(first, store), cache_of(second, store)

    async def is_shared() -> bool:
        assert await here.get("a") == await there.get("a")
        return store.loads == 1

    assert await until(is_shared)
    store.value = "second"
    here.forget("a")
    assert await here.get("a") == "second"  # at once where it was said

    async def is_told() -> bool:
        return await there.get("a") == "second"

    assert await until(is_told)


async def test_what_was_loaded_before_a_change_does_not_come_back(process: Process) -> None:
    """The loads are under way when the change is said; what they have read reaches Redis after it."""
    first, second = process(), process()
    await asyncio.gather(opened(first.cache), opened(second.cache))
    store = Store()
    shelves = [
        Shelf[str, str | None](r.cache, "test", str | None, name_of=str, key_of=str, seconds=60)
        for r in (first, second)
    ]
    seen = await shelves[0].read("a")
    assert seen is not None
    shelves[1].forget("a")

    async def is_marked() -> bool:
        return await shelves[1].read("a") is not None

    assert await until(is_marked)
    shelves[0].write("a", "old", seen.stamp)
    later = await shelves[1].read("a")
    assert later is not None
    shelves[1].write("a", "new", later.stamp)

    async def found() -> str | None:
        again = await shelves[1].read("a")
        assert again is not None
        assert again.value != "old"
        return again.value

    assert await until(found) == "new"
    assert store.loads == 0


@pytest.mark.parametrize("stops", ["frozen", "killed"])
async def test_a_key_that_is_revoked_while_redis_is_away_stops_within_a_second(
    process: Process, redis: RedisServer, project: Project, pool: asyncpg.Pool, stops: str
) -> None:
    """Redis comes back with what it had: the entry of a key that was good when it was written."""
    first, second, third = process(), process(), process(**NO_DATABASE)
    await asyncio.gather(*(opened(p.cache) for p in (first, second, third)))

    async def all_know() -> bool:
        assert await is_let_in(first, project)
        try:
            return await is_let_in(second, project) and await is_let_in(third, project)
        except OSError:
            return False

    assert await until(all_know)
    assert redis.process is not None
    if stops == "frozen":
        redis.process.send_signal(signal.SIGSTOP)
    else:
        redis.process.kill()
        redis.process.wait()
    key = project.key.split("_")[1]
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE id = $1", key)
    changed_at = time.monotonic()
    authority_of(first).forget_key(key)
    if stops == "frozen":
        redis.process.send_signal(signal.SIGCONT)
    else:
        redis.start()
    last = dict.fromkeys(("first", "second", "third"), changed_at)

    async def look(name: str, resources: Resources) -> None:
        while (asked_at := time.monotonic()) < changed_at + 3:
            try:
                if await is_let_in(resources, project):
                    last[name] = asked_at
            except OSError:
                pass  # of the one without a database
            await asyncio.sleep(0.01)

    await asyncio.gather(look("first", first), look("second", second), look("third", third))
    assert last["first"] == changed_at
    assert max(last.values()) - changed_at <= REMEMBER_SECONDS


async def test_another_form_another_secret_and_what_was_written_by_others_are_not_read(
    process: Process, redis: RedisServer
) -> None:
    first, second = process(), process(secret=SecretStr("another secret of a deployment, 32 signs"))
    await asyncio.gather(opened(first.cache), opened(second.cache))
    store = Store()
    mine = cache_of(first, store)

    async def entries() -> dict[str, str]:
        await mine.get("a")
        if not (found := await stored(redis)):
            mine._drop("a")
        return found

    ((place, entry),) = (await until(entries)).items()
    for other, options in (
        (first, {"kind": str | int | None}),
        (first, {"meaning": "another"}),
        (second, {}),
    ):
        theirs = Store()
        theirs.value = "theirs"
        assert await cache_of(other, theirs, **options).get("a") == "theirs"
        assert theirs.loads == 1
    from redis.asyncio import Redis

    async with Redis.from_url(redis.url, decode_responses=True) as client:
        shelf = Shelf[str, str | None](first.cache, "test", str | None, name_of=str, key_of=str, seconds=60)
        await client.set(place, entry)
        seen = await shelf.read("a")
        assert seen is not None
        assert seen.value == "first"
        ahead = f"{int(entry[:16]) + 3_600_000_000:016d}"  # by a clock that is wrong
        for forged in (
            entry[:-1] + "x",
            "x" * 60,
            "",
            entry[:16],
            ahead + entry[16:],
            entry.replace("first", "worst"),
        ):
            await client.set(place, forged)
            seen = await shelf.read("a")
            assert seen is not None
            assert seen.left_seconds == 0


async def test_redis_is_left_alone_while_it_is_away_and_used_when_it_is_back(
    process: Process, redis: RedisServer
) -> None:
    first = process()
    await opened(first.cache)
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    store = Store()
    mine = cache_of(first, store)
    slow = 0.0
    try:
        async with turns() as clock:
            for number in range(200):
                began = clock()
                assert await mine.get(f"k{number}") == "first"
                slow += clock() - began
    finally:
        redis.process.send_signal(signal.SIGCONT)
    assert store.loads == 200
    assert slow < 10 * level2.READ_SECONDS
    await opened(first.cache)

    async def is_written() -> bool:
        await mine.get(f"new {time.monotonic()}")
        return bool(await stored(redis))

    assert await until(is_written)


ALONE = """
import asyncio, sys
from shared.auth.authority import authorize
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

async def main(key, project):
    resources = Resources(Settings())
    await authorize(resources, f"Bearer {key}", project, "events:read")
    assert "redis" not in sys.modules, "the first answer waits for it"
    assert not resources.cache.is_open
    async with asyncio.timeout(60):
        while not resources.cache.is_open:
            await asyncio.sleep(0.01)
    assert "redis" in sys.modules
    await resources.close()
    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_no_first_answer_waits_for_redis(
    settings: Settings, redis: RedisServer, project: Project
) -> None:
    environment = {
        **os.environ,
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_REDIS_URL": redis.url,
        "WEIR_SECRET": settings.secret.get_secret_value(),
    }
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", ALONE, project.key, project.name],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


async def test_closing_does_not_wait_for_a_redis_that_does_not_answer(
    settings: Settings, redis: RedisServer
) -> None:
    resources = Resources(settings.model_copy(update={"redis_url": SecretStr(redis.url)}))
    await opened(resources.cache)
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    try:
        cache_of(resources, Store()).forget("a")
        began = time.monotonic()
        await resources.close()
        assert time.monotonic() - began < 5
    finally:
        redis.process.send_signal(signal.SIGCONT)
