"""A function served by a process of its own, as on a cluster."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from shared.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

UNCOUNTED = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""The environment of a process whose lines are not counted, which nearly halves what its start costs."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


READY_SECONDS = 120


class Served:
    """`with Served(["-m", "shared.runtime.serve", "ingest"], settings) as served`: answers at `served.url`."""

    def __init__(self, arguments: Sequence[str], settings: Settings, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = arguments
        self._environment = {
            **os.environ,
            "PORT": str(self.port),
            "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
            "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
            "WEIR_SECRET": settings.secret.get_secret_value(),
            **environment,
        }
        # A file, not a pipe: a process whose pipe nobody empties stands still.
        self._folder = tempfile.TemporaryDirectory()
        self._log = Path(self._folder.name) / "stderr"
        self.errors = ""

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._arguments], cwd=ROOT, env=self._environment, stderr=log
            )
        while True:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).is_success:
                    break
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise AssertionError(self._log.read_text()) from None
                time.sleep(0.01)  # a process that does not listen yet has nothing to wait on
        return self

    def ready(self) -> httpx.Response:
        """What `/readyz` answers at last: a probe that a busy machine was too slow for is followed by another."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            answer = httpx.get(f"{self.url}/readyz", timeout=10)
            if answer.is_success or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    def written(self) -> str:
        """What it has written to stderr until now; all of it is in `errors` in the end."""
        return self._log.read_text()

    def end(self, timeout: float = 40) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors = self.written()
        self._folder.cleanup()
