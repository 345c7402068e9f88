"""A registry of one's own, and a pair of keys. Collected under WEIR_SIGN_TESTS=1, which `make test-sign` sets."""

import json
import os
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.served import ROOT

collect_ignore_glob = [] if os.environ.get("WEIR_SIGN_TESTS") else ["test_*.py"]

CRANE, COSIGN = ROOT / "build/tools/crane", ROOT / "build/tools/cosign"
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "version": 1,
    "components": [{"type": "library", "name": "libc6"}],
}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("registry") / "log").open("wb") as log:
        serving = subprocess.Popen(
            [CRANE, "registry", "serve", f"--address=127.0.0.1:{port}"], stdout=log, stderr=log
        )
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5).close()
                break
            except urllib.error.URLError:
                assert serving.poll() is None
                time.sleep(0.02)
        yield f"127.0.0.1:{port}"
    finally:
        serving.terminate()
        serving.wait()


@pytest.fixture
def pushed(registry: str, tmp_path: Path) -> Callable[..., str]:
    """`pushed("weir")` is an image there, by its digest, with a bill of materials in it unless that is None."""

    def push(name: str, sbom: object = SBOM) -> str:
        file, layer = tmp_path / "sbom.json", tmp_path / "layer.tar"
        file.write_text(name if sbom is None else json.dumps(sbom))
        with tarfile.open(layer, "w") as files:
            files.add(file, "opt/other" if sbom is None else "opt/sbom.cdx.json")
        appended = [CRANE, "append", "--new_layer", layer, "--new_tag", f"{registry}/{name}:1"]
        return subprocess.run(appended, check=True, capture_output=True, text=True).stdout.strip()

    return push


@pytest.fixture
def keys(tmp_path: Path) -> Callable[[str], Path]:
    """`keys("ours")` makes a pair: a path without the suffixes `.key` and `.pub`."""

    def make(name: str) -> Path:
        pair = tmp_path / name
        made = [COSIGN, "generate-key-pair", "--output-key-prefix", pair]
        subprocess.run(made, check=True, capture_output=True, env={**os.environ, "COSIGN_PASSWORD": ""})
        return pair

    return make
