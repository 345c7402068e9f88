"""A container image as files, and functions that run from it as a platform runs them.

`unpacked("weir:1", folder)` takes it out of docker, podman or buildah. A `Contained` is one container, by runc: what
docker and containerd run with as well. It has a read-only root, no capability, and nothing to write to but /tmp.
"""

import hashlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

TOOLS = {
    "docker": ("docker", "save", "--output", "{file}", "{name}"),
    "podman": ("podman", "save", "--format", "docker-archive", "--output", "{file}", "{name}"),
    "buildah": ("buildah", "push", "--quiet", "{name}", "docker-archive:{file}:{name}"),
}


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of an image."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size: int
    digest: str
    modified: int


@dataclass(frozen=True)
class Image:
    """`entries` by path, without a slash in front; `root` is the folder that holds them."""

    name: str
    root: Path
    config: Mapping[str, Any]
    entries: Mapping[str, Entry] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of all files, uncompressed."""
        return sum(entry.size for entry in self.entries.values())


def unpacked(name: str, folder: Path) -> Image:
    """The image `name`, its files below `folder`. LookupError when no tool here can give it."""
    archive = folder / "image.tar"
    for tool, command in TOOLS.items():
        if shutil.which(tool) is None:
            continue
        told = [part.format(file=archive, name=name) for part in command]
        if subprocess.run(told, capture_output=True, check=False).returncode == 0:
            break
        archive.unlink(missing_ok=True)
    else:
        raise LookupError(
            f"none of {', '.join(TOOLS)} here has an image {name}: build it with infra/docker/build"
        )
    root = folder / "root"
    root.mkdir()
    entries: dict[str, Entry] = {}
    with tarfile.open(archive) as whole:

        def read(path: str) -> bytes:
            found = whole.extractfile(path)
            assert found is not None
            return found.read()

        (manifest,) = json.loads(read("manifest.json"))
        config = json.loads(read(manifest["Config"]))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(read(layer))) as files:
                entries |= {m.name.removeprefix("./"): _entry(files, m) for m in files.getmembers()}
                files.extractall(root, filter="fully_trusted", numeric_owner=True)
    archive.unlink()
    assert not any(Path(path).name.startswith(".wh.") for path in entries), (
        "a layer takes files of another away"
    )
    return Image(name, root, config, entries)


def _entry(files: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    kind = "link" if member.issym() else "folder" if member.isdir() else "file"
    assert kind != "file" or member.isreg(), f"{member.name} is neither file, folder nor link"
    found = files.extractfile(member) if kind == "file" else None
    content = found.read() if found is not None else member.linkname.encode()
    digest = hashlib.sha256(content).hexdigest()
    owner = (member.uid, member.gid)
    return Entry(kind, member.mode & 0o7777, owner, member.size, digest, int(member.mtime))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


class Contained:
    """`with Contained(image, {"WEIR_FUNCTION": "ingest"}) as contained`: answers at `contained.url`.

    It has the network of this machine, so that what listens on loopback is in reach. `tmp` becomes its /tmp.
    """

    def __init__(
        self,
        image: Image,
        environment: Mapping[str, str],
        command: Sequence[str] | None = None,
        *,
        user: tuple[int, int] = (65532, 65532),
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._id = f"weir-{uuid4().hex[:12]}"
        self._folder = tempfile.TemporaryDirectory(prefix="weir-image-")
        bundle = Path(self._folder.name)
        self.tmp = bundle / "tmp"
        self.tmp.mkdir(mode=0o1777)
        self.tmp.chmod(0o1777)
        bundle.chmod(0o755)
        given = {**_environment(image), "PORT": str(self.port), **environment}
        settings = _bundle(image, given, command or image.config["config"]["Cmd"], user, self.tmp)
        (bundle / "config.json").write_text(json.dumps(settings))
        self._log = bundle / "stderr"
        self.errors = ""

    def start(self) -> None:
        """Start it, and do not wait for anything."""
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    "runc",
                    "--root",
                    f"{self._folder.name}/state",
                    "run",
                    "--bundle",
                    self._folder.name,
                    self._id,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        self.start()
        while True:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=5).is_success:
                    return self
            except httpx.TransportError:
                if self.process.poll() is not None:
                    raise AssertionError(self.written()) from None
                time.sleep(0.01)  # a process that does not listen yet has nothing to wait on

    def pid(self) -> int:
        """Of its first process, as this machine counts them."""
        command = ["runc", "--root", f"{self._folder.name}/state", "state", self._id]
        return int(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["pid"])

    def written(self) -> str:
        """What it has written to stdout and stderr until now."""
        return self._log.read_text()

    def end(self, timeout: float = 40) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def wait(self, timeout: float = 60) -> int:
        """The exit code of one that ends by itself."""
        return self.process.wait(timeout)

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            command = ["runc", "--root", f"{self._folder.name}/state", "kill", self._id, "KILL"]
            subprocess.run(command, capture_output=True, check=False)
            self.process.wait()
        self.errors = self.written()
        self._folder.cleanup()


def _environment(image: Image) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in image.config["config"]["Env"])


def _bundle(
    image: Image, environment: Mapping[str, str], command: Sequence[str], user: tuple[int, int], tmp: Path
) -> dict[str, Any]:
    """The OCI runtime configuration, https://github.com/opencontainers/runtime-spec/blob/main/config.md."""
    nothing: list[str] = []
    kinds = ("bounding", "effective", "inheritable", "permitted", "ambient")
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": user[0], "gid": user[1]},
            "args": list(command),
            "env": [f"{name}={value}" for name, value in environment.items()],
            "cwd": image.config["config"]["WorkingDir"],
            "capabilities": dict.fromkeys(kinds, nothing),
            "noNewPrivileges": True,
        },
        "root": {"path": str(image.root), "readonly": True},
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {
                "destination": "/dev",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "mode=755", "ro"],
            },
            {"destination": "/tmp", "type": "bind", "source": str(tmp), "options": ["bind", "rw", "nosuid"]},
        ],
        "linux": {
            "cgroupsPath": os.environ.get("WEIR_TEST_CGROUP", ""),
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
        },
    }
