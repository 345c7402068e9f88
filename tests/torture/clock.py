"""A clock for some processes alone, by Debian's `faketime`: the machine's stays what it is."""

import os
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.local.binaries import postgres_bin

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
HOUR = 3600
NOTICED_SECONDS = 1.0
"""After so long a process looks again how far its clock is moved."""


def library() -> Path | None:
    """Where the library is, if it is installed."""
    return next((path for pattern in LIBRARIES for path in Path("/").glob(pattern[1:])), None)


class Clock:
    """The wall clock of the processes that were started by its command. The monotonic one is left alone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self.move(0)

    def move(self, seconds: int) -> None:
        """From now on it is so many seconds ahead; processes notice after `NOTICED_SECONDS` at the latest."""
        part = self._file.with_suffix(".part")
        part.write_text(f"{seconds:+d}\n")
        part.chmod(0o644)
        part.replace(self._file)

    def command(self, program: Sequence[str]) -> list[str]:
        """The command line that runs `program` by it; what leads there does not."""
        names = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": self._file,
            "FAKETIME_CACHE_DURATION": f"{NOTICED_SECONDS:.0f}",
            "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        }
        return ["/usr/bin/env", *(f"{name}={value}" for name, value in names.items()), *program]

    @contextmanager
    def for_postgres(self) -> Iterator[None]:
        """Postgres that is started meanwhile lives by it: it is found through a folder of scripts."""
        programs = postgres_bin()
        folder = self._file.with_name("programs")
        folder.mkdir(exist_ok=True)
        for program in programs.iterdir():
            command = [str(program)] if program.name != "postgres" else self.command([str(program)])
            script = folder / program.name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            script.chmod(0o755)
        before = os.environ.get("WEIR_POSTGRES_BIN")
        os.environ["WEIR_POSTGRES_BIN"] = str(folder)
        try:
            yield
        finally:
            del os.environ["WEIR_POSTGRES_BIN"]
            if before is not None:
                os.environ["WEIR_POSTGRES_BIN"] = before

    def clean(self, pids: Iterable[int]) -> None:
        """Remove what the library keeps for processes that were killed."""
        for pid in pids:
            for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
                (Path("/dev/shm") / name).unlink(missing_ok=True)
