"""The worker processes: each serves every function on the one listening socket they share."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.local import launch
from cli.local.child import ServerError, open_log

READY_SECONDS = 30.0


class Worker:
    """One worker process, started as often as it is needed."""

    def __init__(
        self, number: int, listening: socket.socket, environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = f"worker-{number}"
        self.log = log
        self._listening = listening
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The last process started."""
        return self._process

    def start(self) -> None:
        """Start the process; it listens at once, since the socket does. Raises OSError."""
        descriptor = self._listening.fileno()
        program = [sys.executable, "-P", "-m", "shared.runtime.serve", "--all", "--fd", str(descriptor)]
        log = open_log(self.log)
        try:
            self._log_start = os.fstat(log).st_size
            self._process = subprocess.Popen(
                launch.command(program, signal=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        finally:
            os.close(log)

    def said(self) -> str:
        """The last line that the workers wrote since this one's start."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            lines = file.read()[-8000:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it wrote nothing"

    def ask_to_end(self) -> None:
        """Tell it to drain."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic seconds), then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def readiness(port: int) -> int | None:
    """The status code of /readyz; None when nobody answers within two seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_until_ready(port: int, workers: Sequence[Worker], stopped: Callable[[], bool]) -> None:
    """Return when /readyz answers 200, or `stopped`. Raises ServerError when a worker ends before."""
    deadline = time.monotonic() + READY_SECONDS
    while not stopped():
        if readiness(port) == 200:
            return
        for worker in workers:
            if worker.process is not None and worker.process.poll() is not None:
                raise ServerError(f"{worker.name} ended at its start: {worker.said()}. See {worker.log}.")
        if time.monotonic() > deadline:
            raise ServerError(f"no worker was ready within {READY_SECONDS:.0f} s. See {workers[0].log}.")
        time.sleep(0.03)
