"""The tool that starts a single-node cluster on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

from tests.knative.waiting import say

ROOT = Path(__file__).resolve().parents[2]


class Tool:
    """One that is up already is used as it is, and stays up."""

    _found: "ClassVar[Tool | None]" = None

    def __init__(self, program: Path) -> None:
        self._program = str(program)
        self._built: list[str] = []

    @classmethod
    def find(cls) -> "Tool | None":
        """The one of this run, if there is any."""
        program = Path(os.environ.get("CLUSTER", ROOT.parent / "shared/cluster/cluster"))
        if cls._found is None and program.exists():
            cls._found = cls(program)
        return cls._found

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """A running cluster's environment. One that was down before is down afterwards."""
        was_up = self._run("status", check=False).returncode == 0
        say("the cluster is up" if was_up else "starting the cluster")
        try:
            if not was_up:
                self._run("up")
            shell = f'eval "$({self._program} env)"; env -0'
            lines = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout
            yield dict(line.split("=", 1) for line in lines.decode().split("\0") if line)
        finally:
            while self._built:  # the last first: it may stand upon another
                self._remove(self._built.pop())
            if not was_up:
                say("ending the cluster")
                self._run("down", check=False)

    def image(self) -> str:
        """The image of this work tree, in the cluster; its name. WEIR_IMAGE names one that is there already."""
        if there := os.environ.get("WEIR_IMAGE"):
            return there
        name = f"dev.local/weir:{uuid4().hex[:8]}"
        say(f"building {name}")
        environment = {**os.environ, "CLUSTER": self._program}
        built = subprocess.run(
            [str(ROOT / "infra/docker/build"), name],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr[-3000:]
        return self._loaded(name)

    def build(self, name: str, folder: Path) -> str:
        """The image of `folder`, which has a Dockerfile, in the cluster; its name. It may stand upon another of this run's."""
        say(f"building {name}")
        self._run("build-image", "-t", name, str(folder))
        return self._loaded(name)

    def _loaded(self, name: str) -> str:
        self._built.append(name)
        return self._run("load", name).stdout.split()[-1]

    @staticmethod
    def _remove(name: str) -> None:
        if shutil.which("buildah"):
            subprocess.run(["buildah", "rmi", name], capture_output=True, check=False)

    @contextmanager
    def exposed(self, url: str) -> Iterator[str]:
        """`url` as pods reach it, whose server listens on this machine's loopback."""
        port = urlsplit(url).port
        assert port is not None
        self._run("expose", str(port))
        try:
            yield url.replace("127.0.0.1", "host.internal")
        finally:
            self._run("unexpose", str(port), check=False)

    def _run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run([self._program, *arguments], capture_output=True, text=True, check=False)
        assert not check or ended.returncode == 0, f"cluster {arguments[0]}: {ended.stderr[-3000:]}"
        return ended
