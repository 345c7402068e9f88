"""Every type of problem has its page, since `type` leads there."""

from pathlib import Path

import pytest

from shared.core.problems import KINDS, TYPE_BASE, ProblemKind

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "problems"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_the_page_tells_title_type_and_status(kind: ProblemKind) -> None:
    lines = (FOLDER / f"{kind.slug}.md").read_text().splitlines()
    assert lines[0] == f"# {kind.title}"
    assert lines[2] == f"`{TYPE_BASE}{kind.slug}` · HTTP {kind.status}"
    assert len(lines) > 4


def test_the_list_has_every_type_and_no_other() -> None:
    listed = [line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert listed == [f"| {k.status} | [`{k.slug}`]({k.slug}.md) | {k.title} |" for k in KINDS]
    assert {path.stem for path in FOLDER.glob("*.md")} == {"README", *(kind.slug for kind in KINDS)}
