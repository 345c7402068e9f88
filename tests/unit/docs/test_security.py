"""The table of ASVS 5.0: each requirement of level 1 and 2 is there once, and what it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/reference/security.md"

# The level of each requirement, in order, by section: OWASP ASVS 5.0.0, docs_en (CSV).
LISTED = """
    1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123
    2.1:122 2.2:112 2.3:12223 2.4:23
    3.1:3 3.2:113 3.3:12223 3.4:11222233 3.5:11122333 3.6:3 3.7:22333
    4.1:12233 4.2:23333 4.3:22 4.4:1222
    5.1:2 5.2:112333 5.3:113 5.4:222
    6.1:122 6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222
    7.1:222 7.2:1111 7.3:22 7.4:11222 7.5:223 7.6:22
    8.1:1233 8.2:1123 8.3:133 8.4:23
    9.1:111 9.2:1222
    10.1:22 10.2:223 10.3:22223 10.4:1111122222233333 10.5:22222 10.6:22 10.7:222
    11.1:2233 11.2:22233 11.3:11233 11.4:1222 11.5:23 11.6:23 11.7:33
    12.1:12233 12.2:11 12.3:22223
    13.1:2333 13.2:222223 13.3:2233 13.4:1222233
    14.1:22 14.2:12223333 14.3:122
    15.1:12233 15.2:12233 15.3:1222222 15.4:3333
    16.1:2 16.2:22222 16.3:2222 16.4:222 16.5:2223
    17.1:23 17.2:22223333 17.3:22
"""
LEVELS = dict(pair.split(":") for pair in LISTED.split())
WANTED = [
    f"{section}.{number}"
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, 1)
    if level in "12"
]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \|(.*)\|$", re.MULTILINE)
ROWS = {number: (text, where, shown) for number, text, where, shown in ROW.findall(PAGE.read_text())}
FILE = re.compile(r"`([^`]+)`")


def test_the_list_is_the_standards() -> None:
    levels = "".join(LEVELS.values())
    assert (levels.count("1"), levels.count("2"), levels.count("3")) == (70, 183, 92)


def test_each_requirement_is_there_once_in_order() -> None:
    assert [number for number, *_ in ROW.findall(PAGE.read_text())] == WANTED


@pytest.mark.parametrize("number", WANTED)
def test_a_row_says_where_it_is_met_and_what_shows_it_or_why_not(number: str) -> None:
    text, where, shown = ROWS[number]
    assert text.strip()
    if where.startswith(("*not applicable*: ", "**open**: ")):
        assert len(where.partition(": ")[2]) > 10
        assert not shown.strip()
        return
    places, tests = FILE.findall(where), FILE.findall(shown)
    assert places, "names no file"
    assert tests, "names no test"
    for path in (*places, *tests):
        assert (ROOT / path).exists(), path
    for path in tests:
        assert path.startswith("tests/"), path
        assert Path(path).name.startswith("test_"), path


def test_what_is_open_is_counted_where_one_looks() -> None:
    open_ones = {number for number, (_, where, _) in ROWS.items() if where.startswith("**open**")}
    assert len(open_ones) < 15
    text = PAGE.read_text()
    assert all(letter in text for letter in ("| S |", "| T |", "| R |", "| I |", "| D |", "| E |"))


def test_how_to_report_is_at_the_top() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    for heading in ("Report something", "Supported versions", "What is promised"):
        assert f"## {heading}" in text
    assert "SECURITY.md" in (ROOT / "README.md").read_text()
