"""A Weir as it is deployed: every function a process of its own, the stores, and a broker between them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
import asyncpg

from cli.local import launch
from cli.local.servers import PostgresServer, RedisServer, free_port
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.support.projects import create_project
from tests.support.served import ROOT
from tests.torture.broker import Broker
from tests.torture.clock import Clock

SECRET = "tortured, and not used for anything else"
START_SECONDS = 60.0
"""Generous: the machine may be busy with other things."""

FUNCTIONS = {
    "ingest": "ingest",
    "dispatch-0": "dispatch",
    "dispatch-1": "dispatch",
    "explore": "explore",
    "subscriptions": "subscriptions",
}


class Unavailable(Exception):
    """This machine cannot have such a Weir; the text says why."""


@dataclass(frozen=True)
class Access:
    """A project, and a key that may do everything in it."""

    project: str
    key: str


class Weir(Protocol):
    """What a scenario needs to know of the Weir it is played on."""

    folder: Path

    @property
    def database_url(self) -> str:
        """The Postgres of now."""

    def url(self, function: str) -> str:
        """Where that function answers."""

    async def project(self) -> Access:
        """A new project."""

    def dispatching(self) -> list[int]:
        """The processes that deliver."""

    def fallen(self) -> list[str]:
        """What should run and does not."""


class Part:
    """One function in a process of its own, always on the same port. Its log is kept in the folder."""

    def __init__(
        self, name: str, port: int, folder: Path, environment: Mapping[str, str], clock: Clock | None
    ) -> None:
        self.name = name
        self._clock = clock
        self.pids: list[int] = []
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{name}.log"
        self._environment = {**environment, "PORT": str(port)}
        self._process: subprocess.Popen[bytes] | None = None
        self.should_run = False

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start it; returns when it answers."""
        program = [sys.executable, "-P", "-m", "shared.runtime.serve", FUNCTIONS[self.name]]
        if self._clock is not None:
            program = self._clock.command(program)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 it takes a millisecond
                launch.command(program, signal=signal.SIGKILL),
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.should_run = True
        self.pids.append(self._process.pid)
        async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
            while True:
                try:
                    async with session.get(f"{self.url}/healthz") as answer:
                        if answer.ok:
                            return
                except aiohttp.ClientError:
                    if not self.runs:
                        raise RuntimeError(f"{self.name} does not start: see {self.log}") from None
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        self.should_run = False
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class Fleet:
    """The processes. With `clocks` those of Weir live by one that can be moved, and Postgres by another."""

    def __init__(self, folder: Path, *, clocks: bool = False) -> None:
        self.folder = folder
        self.clock = Clock(folder / "clock") if clocks else None
        self.postgres_clock = Clock(folder / "postgres-clock") if clocks else None
        self.parts: dict[str, Part] = {}
        self.postgres = PostgresServer(folder / "postgres")
        self.redis = RedisServer(folder / "redis")
        self._settings: Settings | None = None

    @property
    def database_url(self) -> str:
        return self.postgres.url

    def url(self, function: str) -> str:
        return self.parts[function].url

    async def project(self) -> Access:
        assert self._settings is not None
        connection = await asyncpg.connect(self.database_url)
        try:
            made = await create_project(connection, self._settings)
        finally:
            await connection.close()
        return Access(made.name, made.key)

    def dispatchers(self) -> list[Part]:
        return [part for name, part in self.parts.items() if FUNCTIONS[name] == "dispatch"]

    def dispatching(self) -> list[int]:
        return [part.pid for part in self.dispatchers() if part.runs]

    def fallen(self) -> list[str]:
        return [part.name for part in self.parts.values() if part.should_run and not part.runs]

    async def start_stores(self) -> None:
        """Start those that do not run."""
        with self.postgres_clock.for_postgres() if self.postgres_clock else nullcontext():
            for server in (self.postgres, self.redis):
                if server.process is None or server.process.poll() is not None:
                    await asyncio.to_thread(server.start)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            await self.start_stores()
            await migrate(self.database_url)
            self._settings = Settings(database_url=self.database_url, redis_url=self.redis.url, secret=SECRET)
            ports = {name: free_port() for name in FUNCTIONS}
            addresses = [
                f"http://127.0.0.1:{ports[name]}/" for name, kind in FUNCTIONS.items() if kind == "dispatch"
            ]
            async with Broker(addresses) as broker:
                environment = self._environment(broker.url)
                for name in FUNCTIONS:
                    self.parts[name] = Part(name, ports[name], self.folder, environment, self.clock)
                await asyncio.gather(*(part.start() for part in self.parts.values()))
                yield
        finally:
            for part in self.parts.values():
                if part.runs:
                    part.kill()
                if self.clock is not None:
                    self.clock.clean(part.pids)
            await asyncio.to_thread(self.redis.stop)
            await asyncio.to_thread(self.postgres.stop)

    def _environment(self, sink: str) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        return environment | {
            "WEIR_DATABASE_URL": self.database_url,
            "WEIR_REDIS_URL": self.redis.url,
            "WEIR_SECRET": SECRET,
            "WEIR_SINK_ALLOW": "127.0.0.0/8",
            "K_SINK": sink,
        }
