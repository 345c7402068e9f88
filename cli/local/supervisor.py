"""Starts the stores and the workers of a local Weir, keeps them running, and ends them in order."""

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from cli.local import processes
from cli.local.child import Server, ServerError
from cli.local.faults import explained
from cli.local.guardian import Guardian
from cli.local.home import Home, Running
from cli.local.ports import listen
from cli.local.revival import Part, pause_until_due
from cli.local.servers import PostgresServer, RedisServer
from cli.local.workers import Worker, wait_until_ready

if TYPE_CHECKING:
    from cli.local.first_data import FirstData

ROOT = Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "frontend" / "dist"
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run; a URL that is None means the embedded server."""

    port: int
    workers: int
    database_url: str | None = None
    redis_url: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """What there is to tell when it answers."""

    url: str
    sign_in: str


def _has_ended(part: Server | Worker) -> bool:
    return part.process is None or part.process.poll() is not None


class Supervisor:
    """One local Weir. `say` gets progress and events, a line each."""

    def __init__(self, home: Home, options: Options, say: Callable[[str], None]) -> None:
        self._home = home
        self._options = options
        self._say = say
        self._stopping = False
        self._woken_by, self._waker = os.pipe()
        self._guardian: Guardian | None = None
        self._listening: socket.socket | None = None
        self._servers: list[Server] = []
        self._workers: list[Worker] = []
        self._secret = ""

    def run(self, ready: Callable[[Started], None], before_end: Callable[[], None]) -> None:
        """Start, call `ready`, and stay until SIGINT, SIGTERM or SIGHUP; then `before_end`, and end everything.

        The home's lock must be held. Raises StartError when it cannot start, after ending what it had.
        """
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        try:
            with explained(self._home.path):
                started = self._start()
            if started is not None:
                ready(started)
                self._stay()
        finally:
            before_end()
            self._stop()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self) -> Started | None:
        """Everything up to the first 200 of /readyz; None when it was asked to stop on the way."""
        home = self._home
        left = processes.read(home.processes)
        if any(processes.is_alive(p) for p in left):
            self._say("Ending what an earlier run left behind")
            processes.end_all(left)
        home.write_running(None)
        processes.write(home.processes, [])
        self._listening = listen(self._options.port)
        port: int = self._listening.getsockname()[1]
        url = os.environ.get("WEIR_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
        self._guardian = Guardian(home.processes)
        self._secret = os.environ.get("WEIR_SECRET") or home.secret()
        database_url, redis_url = self._start_stores()
        if self._stopping:
            return None
        first = self._prepare(database_url)
        home.write_context(url, first.project, first.api_key)
        environment = self._environment(url, database_url, redis_url)
        self._say("Starting the workers")
        for number in range(self._options.workers):
            self._workers.append(Worker(number, self._listening, environment, home.workers_log))
            self._workers[-1].start()
        self._record()
        wait_until_ready(port, self._workers, lambda: self._stopping)
        if self._stopping:
            return None
        own = processes.record("supervisor", os.getpid())
        assert own is not None
        from importlib.metadata import version

        from shared.auth.links import address_of

        home.write_running(Running(own.pid, own.started, version("weir"), url, port, database_url, redis_url))
        return Started(url, address_of(url, first.link_token))

    def _start_stores(self) -> tuple[str, str]:
        options, home = self._options, self._home
        database_url, redis_url = options.database_url, options.redis_url
        if database_url is None:
            fresh = not (home.path / "postgres" / "PG_VERSION").exists()
            self._say("Making a Postgres data folder" if fresh else "Starting Postgres")
            database_url = self._add(PostgresServer(home.path))
        if redis_url is None:
            self._say("Starting Redis")
            redis_url = self._add(RedisServer(home.path))
        return database_url, redis_url

    def _add(self, server: Server) -> str:
        self._servers.append(server)
        server.start()
        self._record()
        return server.url

    def _prepare(self, database_url: str) -> "FirstData":
        import asyncio

        from cli.local.first_data import prepare

        self._say("Bringing the database up to date")
        known = self._home.context()
        known_key = known.get("apiKey") if known else None
        return asyncio.run(prepare(database_url, self._secret, known_key))

    def _environment(self, url: str, database_url: str, redis_url: str) -> dict[str, str]:
        environment = {
            **os.environ,
            "WEIR_DATABASE_URL": database_url,
            "WEIR_REDIS_URL": redis_url,
            "WEIR_SECRET": self._secret,
            "WEIR_PUBLIC_URL": url,
        }
        environment.setdefault("WEIR_SINK_ALLOW", "127.0.0.0/8")
        environment.setdefault("WEIR_ARCHIVE_URL", (self._home.path / "archive").as_uri())
        if (CONSOLE / "index.html").exists():
            environment.setdefault("WEIR_CONSOLE_DIR", str(CONSOLE))
        elif "WEIR_CONSOLE_DIR" not in environment:
            self._say("The console is not built, so there is only the API; `make console` builds it")
        return environment

    def _record(self) -> None:
        """Write down which processes there are, so that they can be ended if this one cannot do it."""
        running = [(s.name, s.process) for s in self._servers] + [(w.name, w.process) for w in self._workers]
        found = [processes.record(name, process.pid) for name, process in running if process is not None]
        processes.write(self._home.processes, [p for p in found if p is not None])

    def _stay(self) -> None:
        """Sleep until a child ends or a signal comes; start anew what ended."""
        parts = [Part(s.name, partial(_has_ended, s), s.start) for s in self._servers]
        parts += [Part(w.name, partial(_has_ended, w), w.start) for w in self._workers]
        while not self._stopping:
            timeout = pause_until_due(parts, time.monotonic())
            if select.select([self._woken_by], [], [], timeout)[0]:
                os.read(self._woken_by, 4096)
            for part in parts:
                if not self._stopping and part.look(time.monotonic()):
                    self._revive(part)

    def _revive(self, part: Part) -> None:
        self._say(f"{part.name} ended; starting it again")
        try:
            part.revive()
        except (ServerError, OSError) as error:
            self._say(str(error))
        self._record()

    def _stop(self) -> None:
        """End workers, then Redis, then Postgres; the guardian last."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        self._home.write_running(None)
        for worker in self._workers:
            worker.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            worker.wait(deadline)
        if self._listening is not None:
            self._listening.close()
        for server in reversed(self._servers):
            server.stop()
        if self._guardian is not None:
            processes.write(self._home.processes, [])
            self._guardian.dismiss()
