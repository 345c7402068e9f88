"""Links between pages lead to a page that is there, and to a heading that it has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(
        path
        for top in ("docs", "infra/knative", "shared", "tests/manifests")
        for path in (ROOT / top).rglob("*.md")
    ),
]
FENCE = re.compile(r"^( *)(```|~~~).*?^\1\2", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
FILE = re.compile(r"`((?:cli|docs|events|frontend|functions|infra|shared|tests)/[\w./-]+\.\w+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def text_of(page: Path) -> str:
    """A page without its code, which may have signs of its own."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """What its headings are called in links, as GitHub has it."""
    found: list[str] = []
    for heading in HEADING.findall(text_of(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = sum(bool(re.fullmatch(rf"{re.escape(name)}(-\d+)?", one)) for one in found)
        found.append(f"{name}-{again}" if again else name)
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for path, anchor in LINK.findall(text_of(page)):
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and to.suffix == ".md" and anchor not in anchors(to)):
            missing.append(f"{path}#{anchor}" if anchor else path)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page: Path) -> None:
    assert [path for path in FILE.findall(page.read_text()) if not (ROOT / path).exists()] == []


def test_the_list_of_decisions_has_each_of_them_under_its_number() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \|", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    pages = sorted(page.name for page in DECISIONS.glob("[0-9]*.md"))
    assert [page for _, page in listed] == pages
    assert [number for number, _ in listed] == [page[:4] for page in pages]


def test_decisions_that_the_code_names_are_there() -> None:
    there = {page.name[:4] for page in DECISIONS.glob("[0-9]*.md")}
    named: dict[str, str] = {}
    for top in ("functions", "events", "shared", "cli", "infra", "tests"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in {".py", ".tf", ".yaml", ".mk"} and "node_modules" not in path.parts:
                named |= {
                    n: str(path.relative_to(ROOT))
                    for n in re.findall(r"[Dd]ecisions?[ /](\d{4})\b", path.read_text())
                }
    assert {number: path for number, path in named.items() if number not in there} == {}
