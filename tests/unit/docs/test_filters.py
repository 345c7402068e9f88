"""The examples on the page about filters do what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.core.cloudevents import parse_structured
from shared.core.filter_forms import selected
from shared.core.filters import compile_filters, data_of

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "filters.md").read_text()
BLOCKS: list[tuple[str, Any]] = [
    (kind, json.loads(text)) for kind, text in re.findall(r"```json (\w+)\n(.*?)```", PAGE, re.DOTALL)
]
EVENT = parse_structured(json.dumps(next(block for kind, block in BLOCKS if kind == "event")).encode())


def test_every_dialect_has_an_example() -> None:
    text = json.dumps([block for kind, block in BLOCKS if kind in {"matches", "fails"}])
    for dialect in ("exact", "prefix", "suffix", "all", "any", "not", "sql", "cel"):
        assert f'"{dialect}":' in text


@pytest.mark.parametrize(("kind", "clause"), [block for block in BLOCKS if block[0] in {"matches", "fails"}])
def test_an_example_does_what_is_said(kind: str, clause: dict[str, Any]) -> None:
    verdict = compile_filters([clause]).explain(EVENT.attributes(), data_of(EVENT))
    assert verdict.matched is (kind == "matches"), verdict


@pytest.mark.parametrize("body", [block for kind, block in BLOCKS if kind == "body"])
def test_other_ways_are_accepted(body: dict[str, Any]) -> None:
    filters, faults = selected(body.get("filters"), body.get("filter"), body.get("source"), body.get("types"))
    assert faults == []
    assert compile_filters(filters).matches(EVENT.attributes(), data_of(EVENT))
