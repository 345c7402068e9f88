"""A Redis of each test's own, which it may kill, and processes that share it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.local.servers import RedisServer
from shared.cache.level2 import Level2
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.waiting import until


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that keeps what it has when it is killed."""
    server = RedisServer(tmp_path, None, durable=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def process(settings: Settings, redis: RedisServer) -> AsyncIterator[Callable[..., Resources]]:
    """Makes what a process has, with that Redis; `changed` are other settings."""
    async with AsyncExitStack() as stack:

        def make(**changed: object) -> Resources:
            made = Resources(settings.model_copy(update={"redis_url": SecretStr(redis.url), **changed}))
            stack.push_async_callback(made.close)
            return made

        yield make


async def opened(level2: Level2) -> None:
    """Wait until it is open, as it comes to be some moments after its first use."""

    async def is_open() -> bool:
        return level2.is_open

    await until(is_open)
