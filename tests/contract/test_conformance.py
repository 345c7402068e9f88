"""The vectors that the CloudEvents project publishes, and the page that tells how Weir does on them."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import vectors
from tests.contract.report import PAGE, page, passes, understands

FORMAT_CASES = vectors.json_cases() if vectors.present() else []
CESQL_CASES = vectors.cesql_cases() if vectors.present() else {}


@pytest.fixture(autouse=True)
def _vectors() -> Iterator[None]:
    if not vectors.present():
        if os.environ.get("CI") == "true":
            pytest.fail(vectors.MISSING)
        pytest.skip(vectors.MISSING)
    return


def test_the_vectors_are_all_there() -> None:
    assert len(FORMAT_CASES) == 43
    assert len(CESQL_CASES) == 18


@pytest.mark.spec("C01", "H28", "J21")
@pytest.mark.parametrize(
    ("file", "content"), [pytest.param(file, content, id=name) for file, name, content in FORMAT_CASES]
)
def test_json_format(file: str, content: Any) -> None:
    assert passes(file, content)


@pytest.mark.spec("S08", "S20")
@pytest.mark.parametrize("name", CESQL_CASES)
def test_cesql_is_refused_and_the_page_says_so(name: str) -> None:
    assert not any(understands(str(case["expression"])) for case in CESQL_CASES[name])
    assert f"| `{name}` | {len(CESQL_CASES[name])} | 0 |" in PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.contract.report"
