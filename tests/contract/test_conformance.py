"""The vectors that the CloudEvents project publishes, and the page that tells how Weir does on them."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract import vectors
from tests.contract.report import PAGE, page, passes

FORMAT_CASES = vectors.json_cases() if vectors.present() else []


@pytest.fixture(autouse=True)
def _vectors() -> Iterator[None]:
    if not vectors.present():
        if os.environ.get("CI") == "true":
            pytest.fail(vectors.MISSING)
        pytest.skip(vectors.MISSING)
    return


def test_the_vectors_are_all_there() -> None:
    assert len(FORMAT_CASES) == 43
    assert len(vectors.cesql_cases()) == 18


@pytest.mark.spec("C01", "H28", "J21")
@pytest.mark.parametrize(
    ("file", "content"), [pytest.param(file, content, id=name) for file, name, content in FORMAT_CASES]
)
def test_json_format(file: str, content: Any) -> None:
    assert passes(file, content)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.contract.report"
