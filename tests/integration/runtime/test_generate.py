"""What is generated from the declarations is what is there."""

import json
from pathlib import Path

import pytest

from shared.runtime import load, registry
from shared.runtime.function import HEAVY
from shared.runtime.generate import drift, files, main, write
from shared.runtime.routes import Routes


def test_nothing_has_drifted(capsys):
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_a_missing_a_changed_and_a_left_over_file_are_drift(tmp_path: Path):
    wanted = {"docs/a.json": "1\n", "infra/knative/base/b.yaml": "2\n"}
    left_over = tmp_path / "infra/knative/base/gone.yaml"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("3\n")
    found = drift(tmp_path, wanted)
    assert found == ["docs/a.json", "infra/knative/base/b.yaml", "infra/knative/base/gone.yaml"]
    write(tmp_path, wanted, found)
    assert drift(tmp_path, wanted) == []
    (tmp_path / "docs/a.json").write_text("4\n")
    assert drift(tmp_path, wanted) == ["docs/a.json"]


def test_the_command_generates_the_same_twice():
    assert files(registry.functions()) == files(registry.functions())


def test_every_folder_is_a_function():
    for package in registry.PACKAGES:
        for folder in (registry.ROOT / package).iterdir():
            if folder.is_dir() and folder.name != "__pycache__":
                assert (folder / "function.py").exists(), folder


@pytest.mark.parametrize("function", registry.functions(), ids=lambda f: f.name)
def test_a_declaration_is_complete(function):
    assert registry.find(function.name) is function
    assert function.summary
    assert callable(load.entry(function))
    assert bool(function.routes) != bool(function.on)
    assert function.imports <= HEAVY
    assert 0 < function.timeout_seconds <= 600
    assert all(route.startswith("/") for route in function.routes)
    assert function.entry.split(".")[1] == function.name


def test_every_documented_path_leads_to_its_function():
    document = json.loads((registry.ROOT / "docs/openapi.json").read_text())
    routes = Routes(registry.functions())
    own = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
    assert [p for p in document["paths"] if p not in own and routes.find(p) is None] == []


def test_an_unknown_function_is_named_with_those_that_exist():
    with pytest.raises(LookupError, match=r"there is no function 'nothing'; there are .*identity"):
        registry.find("nothing")
