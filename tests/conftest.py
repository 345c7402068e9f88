"""Real stores for every test that asks: one Postgres for the run, a database and a Redis for each worker."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from cli.local.servers import RedisServer
from shared.db.pool import open_pool
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support import stores
from tests.support.projects import Project, create_project
from tests.support.sink import Sink

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

# Servers and a browser share the cores with the tests: how long one example took, or was made, says nothing. In CI the
# examples are the same each time, so that no change fails by what it has nothing to do with.
hypothesis_settings.register_profile(
    "weir", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("weir")

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would the commands that they end with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests of commands stay together by file: the Weir that runs meanwhile starts once. One worker drives the browser: two
    would wait for each other. Others go wherever there is room. Who says another `--dist` gets that.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file.startswith("tests/e2e/"):
                return "tests/e2e"
            return file if file.startswith("tests/integration/cli/") else nodeid

    return Together(config, log)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture(autouse=True)
def _every_change_is_recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """A request of any test that changed something and recorded nothing fails that test."""
    kept, logger = _Kept(), logging.getLogger("weir.audit")
    logger.addHandler(kept)
    yield
    logger.removeHandler(kept)
    if request.node.get_closest_marker("forgets_to_record") is None:
        assert not kept.messages


def _run_folder(factory: pytest.TempPathFactory) -> Path:
    base = factory.getbasetemp()
    return base.parent if WORKER else base


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The run's first process ends the servers that the run started."""
    if WORKER is None:
        stores.end(_run_folder(session.config._tmp_path_factory))


@pytest.fixture(scope="session", autouse=True)
def archive_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the archive is, of whoever says nothing else."""
    found = tmp_path_factory.mktemp("archive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIR_ARCHIVE_URL", found.as_uri())
        yield found


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated database of this worker's own."""
    folder = _run_folder(tmp_path_factory)
    found = stores.running(folder, os.getppid() if WORKER else os.getpid())
    name = f"{found.template}_{WORKER or 'main'}"
    with stores.locked(folder):
        asyncio.run(stores.execute(found.admin_url, f'CREATE DATABASE "{name}" TEMPLATE "{found.template}"'))
    yield stores.with_path(found.admin_url, name)
    asyncio.run(stores.execute(found.admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this worker's own: channels are shared by all databases of one server."""
    if external := os.environ.get("WEIR_TEST_REDIS_URL"):
        yield stores.with_path(external, WORKER.removeprefix("gw") if WORKER else "0")
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"), None, durable=False)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests alone, 32 signs or more",
        sink_allow=("127.0.0.0/8",),
    )


@pytest.fixture
def streams_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that ask every route: one that stays open would keep them for ever."""
    monkeypatch.setenv("WEIR_LIVE_STREAM_SECONDS", "0.05")


@pytest.fixture
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    opened = Resources(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """The owner's, for whom there is no row-level security: tests look at everything, and make it as they need it."""
    opened = await open_pool(database_url, size=8)
    yield opened
    await opened.close()


@pytest.fixture
async def project(pool: asyncpg.Pool, settings: Settings) -> Project:
    """A fresh project with a key that may do everything in it."""
    return await create_project(pool, settings)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as running:
        yield running
