"""Who opens the folders finds out what each is for."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = sorted(
    path.parent.relative_to(ROOT)
    for top in ("functions", "events", "shared", "cli")
    for path in (ROOT / top).rglob("__init__.py")
)
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_says_what_it_is_for(package: Path) -> None:
    assert ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text()))


def folders(within: str) -> set[str]:
    """The folders just below one, that have something of the project in them."""
    return {
        f"{within}/{path.name}"
        for path in (ROOT / within).iterdir()
        if path.is_dir() and not path.name.startswith((".", "__")) and any(path.glob("[!.]*"))
    }


@pytest.mark.parametrize("within", ["shared", "tests", "frontend/src"])
def test_the_architecture_names_every_folder(within: str) -> None:
    assert {folder for folder in folders(within) if f"`{folder}" not in ARCHITECTURE} == set()


def test_the_architecture_has_the_order_that_is_held() -> None:
    """Each row of its table names what the layers below it are; a folder comes after whoever imports it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    height = {
        name.removeprefix("shared."): at for at, layer in enumerate(layers) for name in layer.split(" | ")
    }
    rows = re.findall(r"^\| `shared/([a-z]+)` \|.*\| (.+) \|$", ARCHITECTURE, re.MULTILINE)
    assert {name for name, _ in rows} == set(height)
    assert [height[name] for name, _ in rows] == sorted(height.values())
    for name, imports in rows:
        assert all(height[one] > height[name] for one in re.findall(r"`([a-z]+)`", imports)), name
