"""The nginx of a cluster's edge, by its generated configuration, before a gateway on this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.runtime import registry
from shared.runtime.lay_out import lay_out
from shared.runtime.nginx import PORT, SERVED, configuration
from tests.support.nginx import changed, running
from tests.support.served import free_port


@dataclass(frozen=True)
class Edge:
    """It listens at `url`; what it answers by itself is in `files`."""

    url: str
    files: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def edge(folder: Path, console: Path, gateway: str, port: int | None = None) -> Iterator[Edge]:
    """An edge for functions in the namespace `weir`; `gateway` is host and port."""
    port = port or free_port()
    served = folder / "served"
    lay_out(served, console, "weir", gateway)
    text = changed(
        configuration(registry.functions()),
        (f"listen {PORT} ", f"listen 127.0.0.1:{port} "),
        ("pid /tmp/", f"pid {folder}/"),
        *((f"{name}_temp_path /tmp/", f"{name}_temp_path {folder}/") for name in TEMPORARY),
        (f"include {SERVED}/", f"include {served}/"),
        (f"root {SERVED}/", f"root {served}/"),
    )
    with running(folder, text, port) as process:
        yield Edge(f"http://127.0.0.1:{port}", served / "files", process)


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
