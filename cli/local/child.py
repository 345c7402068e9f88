"""A server as a child process: its log, its start, its end."""

import os
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Protocol

START_SECONDS = 30.0
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


def end_process(process: "subprocess.Popen[bytes]", signals: list[tuple[signal.Signals, float]]) -> None:
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


class ChildServer:
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
            if self._process is not None:
                self._process.wait(5)  # it has ended, or nobody would start it again
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
