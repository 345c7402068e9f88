"""What processes have used, as the kernel counts it (Linux)."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [pid, *(int(child) for child in children.stdout.split())]


def processor_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, and of children of theirs that have ended."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """What a process holds of memory now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(pid)
