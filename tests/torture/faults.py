"""What is done to Weir while it works. Each fault is a name, what it does, and whether Weir is down after it."""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.weir import LocalWeir


@dataclass(frozen=True)
class Fault:
    """`strike` does it. `ends_weir`: the supervisor is gone too, so `weir up` has to be called again."""

    name: str
    strike: Callable[[LocalWeir], None]
    ends_weir: bool = False


def kill(*pids: int) -> None:
    """SIGKILL; one that is gone already is no error."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parts(weir: LocalWeir, kind: str) -> list[int]:
    return [p["pid"] for p in weir.json("status")["parts"] if p["name"].startswith(kind) and p["pid"]]


FAULTS = (
    Fault("kill -9 of one worker", lambda weir: kill(_parts(weir, "worker")[0])),
    Fault("kill -9 of all workers", lambda weir: kill(*_parts(weir, "worker"))),
    Fault("kill -9 of Postgres", lambda weir: kill(*_parts(weir, "postgres"))),
    Fault("kill -9 of Redis", lambda weir: kill(*_parts(weir, "redis"))),
    Fault("kill -9 of the supervisor", lambda weir: kill(weir.supervisor()), ends_weir=True),
    Fault("kill -9 of every process", lambda weir: kill(*weir.processes()), ends_weir=True),
)
