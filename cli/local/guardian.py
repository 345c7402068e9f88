"""Ends what a supervisor started when the supervisor is gone: `python -m cli.local.guardian FD FILE`.

It reads from a pipe whose other end only the supervisor holds, so that it learns of every kind of
end, on every system. Where Linux has told the children already, there is nothing left to do.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from cli.local import processes


class Guardian:
    """The guardian of one supervisor, as the supervisor sees it."""

    def __init__(self, record: Path) -> None:
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "cli.local.guardian", str(reading), str(record)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(reading,),
                start_new_session=True,
            )
        finally:
            os.close(reading)

    @property
    def pid(self) -> int:
        return self._process.pid

    def dismiss(self) -> None:
        """Let it end; the record of processes is empty by now, so it has nothing to do."""
        os.close(self._writing)
        self._process.wait()


def main(descriptor: int, record: Path) -> None:
    """Wait for the supervisor's end, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(descriptor, 1):
        pass
    processes.end_all([p for p in processes.read(record) if p.pid != os.getpid()])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
