"""Drives the real `weir` command against a home of the test's own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COMMAND = [str(Path(sys.executable).with_name("weir"))]


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without any setting of Weir's."""
    return {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")} | more


class LocalWeir:
    """One home. `run` calls the command there; `processes` are what lives because of it."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.environment = clean_environment(
            WEIR_HOME=str(home), XDG_CONFIG_HOME=str(home.parent / "config"), WEIR_WORKERS="1", **environment
        )

    def run(
        self, *arguments: str, timeout: float = 60, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment | environment,
            cwd=self.home.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """The command as a process of its own, both outputs piped."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self.environment | environment,
            cwd=self.home.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def up(self) -> str:
        """Start in the background on a free port; the address."""
        done = self.run("up", "--detach", "--port", "0")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[0]

    def json(self, *arguments: str) -> Any:
        """What the command answers as JSON; it must succeed."""
        done = self.run(*arguments, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def processes(self) -> list[int]:
        """The numbers of all processes that belong to the home: by environment, or by working folder."""
        marks = f"WEIR_HOME={self.home}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                inside = (folder / "cwd").readlink().is_relative_to(self.home)
                if (marks in environment or inside) and (folder / "stat").read_text().rpartition(")")[2][
                    1
                ] != "Z":
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def wait_until_empty(self, seconds: float = 60) -> None:
        """Return when nothing of it lives; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, [Path(f"/proc/{p}/cmdline").read_bytes() for p in left]
            time.sleep(0.05)

    def supervisor(self) -> int:
        """The supervisor's process number."""
        pid = self.json("status")["pid"]
        assert isinstance(pid, int)
        return pid

    def part(self, name: str) -> int:
        """A part's process number."""
        found = next(p["pid"] for p in self.json("status")["parts"] if p["name"] == name)
        assert isinstance(found, int)
        return found

    def kill(self) -> None:
        """End whatever is left, at the end of a test."""
        self.run("down")
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
