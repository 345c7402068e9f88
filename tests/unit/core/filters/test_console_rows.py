"""The CESQL that the console shows for rows lets exactly those events through that the rows themselves do.

The pairs are the ones that the console's own tests hold its writer and reader to.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.filters import compile_filters

CASES: list[dict[str, Any]] = json.loads(
    Path(__file__).parents[4].joinpath("frontend/src/lib/cesql.cases.json").read_text()
)
TEXTS = st.sampled_from(
    ["a", "b", "eu", "ch", "us", "5", "05", "6", "x", "true", "40", "n/a", "orders/A-1", "bc", "-3", "100%_'"]
)
EVENTS = st.fixed_dictionaries(
    {"id": st.just("1"), "source": st.just("/s"), "specversion": st.just("1.0"), "type": TEXTS},
    optional={
        "subject": TEXTS,
        "region": TEXTS | st.integers(-5, 50) | st.booleans(),
        "n": TEXTS | st.integers(-5, 50) | st.booleans(),
    },
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["cesql"])
@given(event=EVENTS)
def test_rows_and_their_cesql_judge_alike(case: dict[str, Any], event: dict[str, str | int | bool]) -> None:
    rows, cesql = compile_filters(case["filters"]), compile_filters([{"sql": case["cesql"]}])
    assert rows.matches(event) == cesql.matches(event)
