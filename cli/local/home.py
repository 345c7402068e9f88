"""The folder that holds everything of one local Weir (`WEIR_HOME`, `.weir` without).

- lock: held by the supervisor while it runs, with its process number
- secret: keys the hashes of API keys, 0600
- context.json: the context `local`: address, project, API key, 0600
- running.json: what the supervisor tells the other commands, 0600, gone when it has ended
- processes.json: its child processes, by number and start time
- postgres/ redis/ and their logs, workers.log, weir.log
"""

import fcntl
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LOOK_SECONDS = 0.2
"""How long a lock that is held is asked for again."""


class HomeBusyError(Exception):
    """Another supervisor holds this home."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a supervisor says of itself. The URLs hold passwords."""

    pid: int
    started: str
    version: str
    url: str
    port: int
    database_url: str
    redis_url: str


def private_write(path: Path, text: str) -> None:
    """Put `text` in place of the file at once, readable by its owner alone."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    part.replace(path)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


class Home:
    """The files of one home. Nothing is made before `create`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self._lock: int | None = None

    @property
    def processes(self) -> Path:
        return self.path / "processes.json"

    @property
    def log(self) -> Path:
        return self.path / "weir.log"

    @property
    def workers_log(self) -> Path:
        return self.path / "workers.log"

    def create(self) -> None:
        """Make the folder. Raises OSError."""
        self.path.mkdir(parents=True, exist_ok=True)

    def lock(self) -> None:
        """Hold the home until `unlock` or the end of the process. Raises HomeBusyError, OSError."""
        descriptor = self._take()
        if descriptor is None:
            raise HomeBusyError(f"another Weir runs in {self.path}")
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def _take(self) -> int | None:
        """A descriptor that holds the lock; None when somebody else does."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + LOOK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.02)  # somebody may just be looking whether it is held
                    continue
                os.close(descriptor)
                return None
            return descriptor

    def unlock(self) -> None:
        """Let others have the home."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_busy(self) -> bool:
        """Whether a supervisor holds the home now."""
        if not (self.path / "lock").exists():
            return False
        descriptor = self._take()
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    def secret(self) -> str:
        """The deployment's secret, made at the first call."""
        path = self.path / "secret"
        if not path.exists():
            private_write(path, secrets.token_urlsafe(48))
        return path.read_text().strip()

    def context(self) -> dict[str, str] | None:
        """The context `local` as last written."""
        found = _read_json(self.path / "context.json")
        return found if isinstance(found, dict) else None

    def write_context(self, url: str, project: str, api_key: str) -> None:
        """Write the context `local`."""
        context = {"name": "local", "url": url, "project": project, "apiKey": api_key}
        private_write(self.path / "context.json", json.dumps(context, indent=2) + "\n")

    def running(self) -> Running | None:
        """What the supervisor wrote, whether it still runs or not."""
        found = _read_json(self.path / "running.json")
        try:
            return Running(**found) if isinstance(found, dict) else None
        except TypeError:
            return None

    def write_running(self, running: Running | None) -> None:
        """Tell the other commands, or take it back."""
        path = self.path / "running.json"
        if running is None:
            path.unlink(missing_ok=True)
        else:
            private_write(path, json.dumps(asdict(running)))
