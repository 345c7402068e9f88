"""Processes named by number and start time, so that a number used again is never mistaken for ours."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process that was started: `name` is its part, `started` what `start_time` said then."""

    name: str
    pid: int
    started: str


def start_time(pid: int) -> str | None:
    """When the process began, in a form that is only compared; None when there is none (or a zombie)."""
    if sys.platform.startswith("linux"):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not answer or answer.startswith("Z") else answer.partition(" ")[2].strip()


def record(name: str, pid: int) -> Recorded | None:
    """The identity of a running process; None when it has ended already."""
    started = start_time(pid)
    return None if started is None else Recorded(name, pid, started)


def is_alive(process: Recorded) -> bool:
    """Whether that very process runs."""
    return start_time(process.pid) == process.started


def write(path: Path, processes: Iterable[Recorded]) -> None:
    """Put the list in place of the one at `path`."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps([asdict(p) for p in processes]))
    part.replace(path)


def read(path: Path) -> list[Recorded]:
    """The list at `path`; empty when there is none or it was cut off."""
    try:
        return [Recorded(**entry) for entry in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []


def _send(process: Recorded, number: signal.Signals) -> None:
    if is_alive(process):
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def _gone(processes: list[Recorded], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(is_alive(p) for p in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end_all(processes: list[Recorded], *, patience: float = 4.0) -> None:
    """End processes whose parent is gone: workers first, then the stores, each asked before it is made to.

    `patience` is how many seconds each group has before it is killed.
    """
    stores = [p for p in processes if p.name in {"postgres", "redis"}]
    workers = [p for p in processes if p not in stores]
    for group in (workers, stores):
        for process in group:
            # SIGINT is Postgres' orderly end that does not wait for its clients.
            _send(process, signal.SIGINT if process.name == "postgres" else signal.SIGTERM)
        if _gone(group, patience):
            continue
        for process in group:
            _send(process, signal.SIGQUIT if process.name == "postgres" else signal.SIGKILL)
        if not _gone(group, patience):
            for process in group:
                _send(process, signal.SIGKILL)
            _gone(group, patience)
