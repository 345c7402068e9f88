"""The address that Weir listens on, and who has it when it is taken."""

import errno
import socket
from pathlib import Path

HOST = "127.0.0.1"
BACKLOG = 2048


class PortTakenError(Exception):
    """Somebody listens there already. The text names them where the system tells."""


def listen(port: int) -> socket.socket:
    """A listening socket on `port` of 127.0.0.1 (0: a free one). Raises PortTakenError, OSError."""
    try:
        return socket.create_server((HOST, port), backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            owner = owner_of(port)
            raise PortTakenError(
                f"port {port} is taken{f' by {owner}' if owner else ''}."
                f" Choose another with WEIR_PORT={port + 1} or `weir up --port {port + 1}`; 0 picks a free one."
            ) from error
        if error.errno == errno.EACCES:
            raise PortTakenError(
                f"port {port} may only be used by root. Choose one above 1023 with WEIR_PORT or `--port`."
            ) from error
        raise


def owner_of(port: int) -> str | None:
    """Name and number of the process that listens on `port`, where Linux lets us see it."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in wanted for link in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text().strip()
                return f"{name} (process {folder.name})"
        except OSError:
            continue
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found
