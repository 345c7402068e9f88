"""The lines of the specifications in `lines.yaml`, and which tests prove them."""

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CATALOGUE = Path(__file__).with_name("lines.yaml")
SPECS = Path(os.environ.get("WEIR_SPECS") or ROOT.parent / "shared" / "specs")
MISSING = f"no specifications at {SPECS}: name their folder in WEIR_SPECS"

_LINE = re.compile(
    r"- \[ \] (?P<id>[A-Z]\d+(?:\.\d+)?[a-z]?)"
    r"(?: (?P<level>MUST NOT|MUST|SHOULD NOT|SHOULD|MAY|RECOMMENDED|OPTIONAL)\b)?"
    r"(?: (?P<roles>[RIDME](?:/[RIDME])*)\b)?"
)


@dataclass(frozen=True)
class Line:
    """One line. `level` is empty for a note; `declined` is the reason for not keeping it, if it is not kept."""

    id: str
    level: str
    roles: str
    title: str
    declined: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it is about who receives events, or stores and forwards them."""
        return bool({"R", "I"} & set(self.roles.split("/")))


@dataclass(frozen=True)
class Proof:
    """A test that names a line."""

    path: str
    test: str


@cache
def catalogue() -> dict[str, Line]:
    """Every line by its id, in the order of the file."""
    rows = yaml.safe_load(CATALOGUE.read_text())
    return {identity: Line(identity, **row) for identity, row in rows.items()}


def specified() -> dict[str, tuple[str, str]]:
    """Id to level and roles, as the specifications have them; both may be empty."""
    return {
        match["id"]: (match["level"] or "", match["roles"] or "")
        for name in ("cloudevents.md", "knative.md")
        for match in map(_LINE.match, (SPECS / name).read_text().splitlines())
        if match is not None
    }


@cache
def proofs() -> dict[str, list[Proof]]:
    """Id to the tests that name it, of all suites, in the order of their files."""
    found: dict[str, list[Proof]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "mark.spec(" not in text:
            continue
        for test, identity in _named(ast.parse(text)):
            found.setdefault(identity, []).append(Proof(str(path.relative_to(ROOT)), test))
    return found


def _named(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Test and id for each id that `@pytest.mark.spec` gives a test, also to one of its cases."""
    for test in ast.walk(module):
        if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        ids = {
            argument.value
            for decorator in test.decorator_list
            for node in ast.walk(decorator)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "spec"
            for argument in node.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        }
        for identity in sorted(ids):
            yield test.name, identity
