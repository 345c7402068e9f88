"""The embedded servers, run as ordinary child processes below one folder."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

from cli.local import launch
from cli.local.accounts import Account, account_for
from cli.local.binaries import MissingProgramError, postgres_bin, redis_program
from cli.local.postgres_files import create_data_folder
from cli.local.processes import start_time

START_SECONDS = 30.0
NO_PROCESS = 4_194_305
"""One more than the highest process number there is, on Linux and macOS."""

LOG_LIMIT_BYTES = 10 * 1024 * 1024


class ServerError(Exception):
    """A server did not start or ended. The text says why and, in its last sentence, what to do."""


class Server(Protocol):
    """What the supervisor needs of a server."""

    name: str

    @property
    def url(self) -> str:
        """Where clients connect, credentials included."""

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The running process, or None before `start` and after `stop`."""

    def start(self) -> None:
        """Start and return when it answers. Raises ServerError."""

    def stop(self) -> None:
        """End it in order; a second call does nothing."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def open_log(path: Path) -> int:
    """A descriptor that appends to `path`, which starts anew when it has grown past the limit."""
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _end(process: "subprocess.Popen[bytes]", signals: list[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn until the process ends, giving it the seconds beside it."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


class _Child:
    """A server process with a log file whose new lines explain a failure."""

    name = ""

    def __init__(self, home: Path, port: int | None) -> None:
        self.home = home.resolve()
        self.port = port
        self.log = self.home / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        return self._process

    def _spawn(self, command: list[str]) -> None:
        log = open_log(self.log)
        try:
            self._log_start = os.fstat(log).st_size
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        finally:
            os.close(log)

    def _log_tail(self) -> str:
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read()[-4000:].decode(errors="replace").strip()

    def _failure(self) -> ServerError:
        tail = self._log_tail()
        if "No space left on device" in tail:
            return ServerError(
                f"the disk that holds {self.home} is full; {self.name} cannot start."
                " Free some space, or set WEIR_HOME to a folder on another disk."
            )
        last = tail.splitlines()[-1] if tail else "it wrote nothing"
        return ServerError(f"{self.name} did not start: {last}. See {self.log}.")

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None:
                self._process = None
                raise self._failure()
            if time.monotonic() > deadline:
                self.stop()
                raise ServerError(f"{self.name} did not answer within {START_SECONDS:.0f} s. See {self.log}.")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class PostgresServer(_Child):
    """Postgres on 127.0.0.1 with a random password, its data in `home/postgres`.

    As root it runs as an unprivileged user: see `cli.local.accounts`. `durable=False` is for tests
    alone: a crash of the machine may then lose data.
    """

    name = "postgres"

    def __init__(self, home: Path, port: int | None = None, durable: bool = True) -> None:
        super().__init__(home, port)
        self.durable = durable
        self._account: Account | None = None
        self._password = ""

    @property
    def data(self) -> Path:
        """The data folder."""
        return (self._account.data_root if self._account else self.home) / "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://weir:{self._password}@127.0.0.1:{self.port}/weir"

    def start(self) -> None:
        """Make the data folder when there is none, start, and wait for the first connection."""
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            programs = postgres_bin()
        except MissingProgramError as error:
            raise ServerError(str(error)) from error
        self._account = account_for(self.home, programs, launch.held_capability())
        self._password = self._read_password()
        try:
            create_data_folder(self._account, self.data, self._password, durable=self.durable, log=self.log)
        except subprocess.CalledProcessError as error:
            raise self._failure() from error
        if self.port is None:
            self.port = free_port()
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._spawn(
                launch.command(
                    [str(self._account.programs / "postgres"), "-D", str(self.data), *self._options()],
                    signal=signal.SIGINT,
                    user=self._account.user,
                    capability=self._account.capability,
                )
            )
            try:
                self._wait_until_ready()
            except ServerError:
                # Backends of a killed postmaster take a moment to notice; until then the data is in use.
                said = self._log_tail()
                in_use = "is still in use" in said or "Is another postmaster" in said
                if not in_use or time.monotonic() > deadline:
                    raise
                self._correct(pid_file)
                time.sleep(0.1)
                continue
            return

    def _read_password(self) -> str:
        path = self.home / "postgres-password"
        if not path.exists():
            path.touch(0o600)
            path.write_text(secrets.token_urlsafe(24))
        return path.read_text()

    def _options(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "log_min_messages": "warning",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if sys.platform.startswith("linux") and not os.access("/dev/shm", os.W_OK):  # noqa: S108 Postgres' choice
            settings["dynamic_shared_memory_type"] = "mmap"
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _correct(self, pid_file: Path) -> None:
        """Write a number that no process can have where the named one is no Postgres any more.

        Postgres would take the process that has the number now for itself. The file stays, since it
        also names the shared memory by which Postgres knows whether old backends still live.
        """
        try:
            first, rest = pid_file.read_text().split("\n", 1)
            pid = int(first)
            if start_time(pid) is None or b"postgres" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                pid_file.write_text(f"{NO_PROCESS}\n{rest}")
        except (OSError, ValueError):
            return

    def _is_ready(self) -> bool:
        """Postgres writes its state in the eighth line of `postmaster.pid`."""
        assert self._process is not None
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Close connections, write a checkpoint, end (at the latest after 20 seconds)."""
        if self._process is not None:
            _end(self._process, [(signal.SIGINT, 15), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)])
            self._process = None


class RedisServer(_Child):
    """Redis (or Valkey) on 127.0.0.1 with a random password, its data in `home/redis`."""

    name = "redis"

    def __init__(self, home: Path, port: int | None = None, durable: bool = True) -> None:
        super().__init__(home, port)
        self.durable = durable
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Write its configuration, start, and wait until it has read its data."""
        data = self.home / "redis"
        data.mkdir(parents=True, exist_ok=True)
        try:
            program = redis_program()
        except MissingProgramError as error:
            raise ServerError(str(error)) from error
        if self.port is None:
            self.port = free_port()
        configuration = data / "redis.conf"
        configuration.touch(0o600)
        configuration.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass "{self._password}"\ndir "{data}"\n'
            f'save ""\nappendonly {"yes" if self.durable else "no"}\nappendfsync everysec\n'
            "daemonize no\nloglevel warning\n"
        )
        self._spawn(launch.command([str(program), str(configuration)], signal=signal.SIGTERM))
        self._wait_until_ready()

    def _is_ready(self) -> bool:
        assert self.port is not None
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(1024)
                    if not part:
                        return False
                    answer += part
                return b"+PONG" in answer
        except OSError:
            return False

    def stop(self) -> None:
        """Write what is in memory and end (at the latest after 10 seconds)."""
        if self._process is not None:
            _end(self._process, [(signal.SIGTERM, 8), (signal.SIGKILL, 5)])
            self._process = None
