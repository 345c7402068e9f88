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

from cli.local import launch
from cli.local.accounts import Account, account_for
from cli.local.binaries import MissingProgramError, postgres_bin, redis_program
from cli.local.child import START_SECONDS, ChildServer, ServerError, end_process, free_port
from cli.local.postgres_files import create_data_folder
from cli.local.processes import start_time

__all__ = ["PostgresServer", "RedisServer", "ServerError", "free_port"]

NO_PROCESS = 4_194_305
"""One more than the highest process number there is, on Linux and macOS."""


class PostgresServer(ChildServer):
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
            # Log files that are there are written again. To fill a new one with zeros holds every commit up.
            "min_wal_size": "256MB",
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
            end_process(self._process, [(signal.SIGINT, 15), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)])
            self._process = None


class RedisServer(ChildServer):
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
            end_process(self._process, [(signal.SIGTERM, 8), (signal.SIGKILL, 5)])
            self._process = None
