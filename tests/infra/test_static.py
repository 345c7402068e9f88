"""What can be said of the sources without an AWS."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.infra.stage import ROOTS, SOURCES, Tree

MODULES = sorted(folder.name for folder in (SOURCES / "modules").iterdir())

GIVES_WHAT_IS_NOT_KEPT = {
    name for name in MODULES if "ephemeral" in (SOURCES / "modules" / name / "outputs.tf").read_text()
}
"""Their outputs are allowed inside of another module alone: they are valid in the roots, which have all modules."""


def test_every_file_is_formatted(tree: Tree) -> None:
    tree.run(".", "fmt", "-check", "-recursive", "-diff", "-no-color")


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_is_valid_and_its_lock_file_right(tree: Tree, root: str) -> None:
    tree.prepare(root, "-backend=false")
    tree.run(root, "validate", "-no-color")


@pytest.mark.parametrize("module", sorted({*MODULES} - GIVES_WHAT_IS_NOT_KEPT))
def test_a_module_is_valid_by_itself(tmp_path: Path, tree: Tree, module: str) -> None:
    from tests.infra.stage import plugins

    where = f"modules/{module}"
    tree.run(where, "init", "-backend=false", f"-plugin-dir={plugins()}", "-no-color")
    tree.run(where, "validate", "-no-color")


@pytest.mark.parametrize("folder", [*ROOTS, *(f"modules/{module}" for module in MODULES)])
def test_every_variable_and_output_says_what_it_is(folder: str) -> None:
    for path in (SOURCES / folder).glob("*.tf"):
        blocks = path.read_text().split("\n}\n")
        for block in blocks:
            lines = block.strip().splitlines()
            head = next((line for line in lines if line.startswith(("variable ", "output "))), None)
            assert head is None or "  description = " in block, f"{path.name}: {head}"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/", "/index.html"),
        ("/signin", "/index.html"),
        ("/p/shop/events/019a", "/index.html"),
        ("/p/shop/types/com.acme.order.created", "/index.html"),
        ("/index.html", "/index.html"),
        ("/config.json", "/config.json"),
        ("/theme.js", "/theme.js"),
        ("/favicon.svg", "/favicon.svg"),
    ],
)
def test_a_page_is_index_html_and_a_file_is_itself(asked: str, given: str) -> None:
    code = (SOURCES / "modules/cdn/history.js").read_text()
    event = json.dumps({"request": {"uri": asked}})
    done = subprocess.run(
        ["node", "-e", f"{code};console.log(handler({event}).uri)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == given
