"""kustomize and kubeconform: `make test-manifests` brings them to `build/tools`; those on the PATH will do.

`python -m tests.manifests.tools FOLDER` writes what every overlay comes to into FOLDER.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
KNATIVE = ROOT / "infra/knative"
OVERLAYS = sorted(path.parent.name for path in (KNATIVE / "overlays").glob("*/kustomization.yaml"))
SCHEMAS = Path(__file__).parent / "schemas/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"

Document = dict[str, Any]


class Missing(Exception):
    """A tool that is not here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no {name}: `make test-manifests` builds it where there is Go")

    def skip(self) -> NoReturn:
        """Leave the test out, by name; where everything has to be proven it fails."""
        if os.environ.get("CI") == "true":
            pytest.fail(str(self))
        pytest.skip(str(self))


def _program(name: str) -> str | None:
    own = ROOT / "build/tools" / name
    return str(own) if own.exists() else shutil.which(name)


@dataclass(frozen=True)
class Kustomize:
    command: tuple[str, ...]

    @classmethod
    def find(cls) -> Self:
        if own := _program("kustomize"):
            return cls((own, "build"))
        if kubectl := _program("kubectl"):
            return cls((kubectl, "kustomize"))
        raise Missing("kustomize or kubectl")

    def text(self, folder: Path) -> str:
        """What is made of `folder`. AssertionError with what it says when nothing is."""
        ran = subprocess.run([*self.command, str(folder)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert not ran.stderr, ran.stderr  # warnings of what is deprecated
        return ran.stdout

    def build(self, folder: Path) -> list[Document]:
        return list(yaml.safe_load_all(self.text(folder)))

    def overlay(self, name: str) -> list[Document]:
        return _overlay(self, name)

    def upon(self, resources: Path, folder: Path, **content: Any) -> list[Document]:
        """An overlay of a user's own in `folder`, upon `resources`, with `components` named as in infra/knative."""
        components = content.pop("components", ())
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(resources, folder)],
            "components": [os.path.relpath(KNATIVE / "components" / name, folder) for name in components],
            **content,
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return self.build(folder)


@cache
def _overlay(kustomize: Kustomize, name: str) -> list[Document]:
    return kustomize.build(KNATIVE / "overlays" / name)


@dataclass(frozen=True)
class Kubeconform:
    program: str

    @classmethod
    def find(cls) -> Self:
        if program := _program("kubeconform"):
            return cls(program)
        raise Missing("kubeconform")

    def faults(self, documents: list[Document]) -> str:
        """What is wrong with `documents`; empty when nothing is. A kind without a schema is wrong."""
        ran = subprocess.run(
            [self.program, "-strict", "-schema-location", str(SCHEMAS), "-"],
            input=yaml.safe_dump_all(documents),
            capture_output=True,
            text=True,
            check=False,
        )
        return (ran.stdout + ran.stderr) if ran.returncode else ""


def one(documents: list[Document], kind: str, name: str, group: str = "") -> Document:
    """The document of that kind (of an API whose version begins with `group`) and name."""
    (found,) = [
        d
        for d in documents
        if d["kind"] == kind and d["metadata"]["name"] == name and d["apiVersion"].startswith(group)
    ]
    return found


def services(documents: list[Document]) -> dict[str, Document]:
    """The Knative Services by name."""
    return {
        d["metadata"]["name"]: d
        for d in documents
        if (d["kind"], d["apiVersion"]) == ("Service", "serving.knative.dev/v1")
    }


def main(folder: Path) -> None:
    """Write every overlay, built."""
    kustomize = Kustomize.find()
    folder.mkdir(parents=True, exist_ok=True)
    for name in OVERLAYS:
        path = folder / f"{name}.yaml"
        path.write_text(kustomize.text(KNATIVE / "overlays" / name))
        print(path)  # noqa: T201 a command's own output


if __name__ == "__main__":
    main(Path(sys.argv[1]))
