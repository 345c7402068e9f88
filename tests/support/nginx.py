"""A real nginx on this machine, with a configuration of ours."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def program() -> str:
    """nginx itself. Without one the test is skipped, and fails where everything has to be proven."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no nginx: `make install` installs Debian's when run as root")
        pytest.skip("there is no nginx on this machine")
    return found


def changed(text: str, *changes: tuple[str, str]) -> str:
    """`text` with each old text, which must be there once, in its new words."""
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@contextmanager
def running(folder: Path, configuration: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """An nginx that listens on `port` by its configuration, which must not send it into the background."""
    user = "user root;\n" if os.geteuid() == 0 else ""  # others may not read the folder of the tests
    path = folder / "nginx.conf"
    path.write_text(user + configuration)
    process = subprocess.Popen([program(), "-c", str(path), "-e", "stderr"])
    try:
        while True:
            assert process.poll() is None, "nginx did not start"
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.01)  # it does not listen yet: there is nothing to wait on
        yield process
    finally:
        process.terminate()
        process.wait(20)
