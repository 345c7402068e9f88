"""Every statement on a table with a project names the project: read from the sources, whatever function runs it.

Row-level security stands behind that (tests/integration/tenancy); this is what stands before it. Sign-in and the way of
an event cross projects (docs/reference/tenancy.md).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.db.models import Model

ROOT = Path(__file__).resolve().parents[3]
OF_PROJECT = {table.name for table in Model.metadata.tables.values() if "project_id" in table.columns}
TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(own_events|[a-z_]+)", re.IGNORECASE)


def sources() -> list[Path]:
    """The files with SQL that is done in one project."""
    found = sorted((*ROOT.glob("functions/**/queries.py"), *ROOT.glob("functions/**/queries/*.py")))
    return [path for path in found if not path.is_relative_to(ROOT / "functions" / "identity")]


def statements(path: Path) -> Iterator[tuple[str, str]]:
    """Each function of the file with the texts in it, constants of the module filled in."""
    module = ast.parse(path.read_text())
    constants: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = text_of(node.value, constants)
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(function, clean=False)
            texts = [
                text_of(node, constants)
                for node in ast.walk(function)
                if isinstance(node, ast.JoinedStr | ast.Constant | ast.Name)
            ]
            yield function.name, " ".join(text for text in texts if text and text != docstring)


def text_of(node: ast.expr, constants: dict[str, str]) -> str:
    """What a literal says."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Name):
        return constants.get(node.id, "")
    if isinstance(node, ast.JoinedStr):
        return "".join(
            text_of(part.value if isinstance(part, ast.FormattedValue) else part, constants)
            for part in node.values
        )
    return ""


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_project_is_in_every_statement(path: Path) -> None:
    """The audit log names it `chain`; what is looked up across projects is named here."""
    looked_up = {"projects_of"}
    for name, text in statements(path):
        tables = {found.lower() for found in TABLE.findall(text)} & (OF_PROJECT | {"own_events"})
        if tables and name not in looked_up:
            assert re.search(r"\b(project_id|chain = \$\d+)\b", text), (
                f"{path}: {name} asks {', '.join(sorted(tables))}"
            )


def test_there_is_something_to_read() -> None:
    read = [(path, name) for path in sources() for name, text in statements(path) if TABLE.search(text)]
    assert len(read) > 40
    assert len(OF_PROJECT) >= 11
