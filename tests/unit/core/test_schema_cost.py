"""No schema makes the validator run for long, or out of its stack, whatever the data."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.json_schema import InvalidSchema, compile_schema, read_schema
from shared.core.schema_cost import MAX_LEVELS, MAX_VISITS, visits_by_level
from shared.core.schema_graph import Unclear
from tests.support.brief import brief


def nested(levels: int, name: str = "a", inner: Any = 1) -> Any:
    data = inner
    for _ in range(levels):
        data = {name: data}
    return data


def chain(length: int, last: Any) -> dict[str, Any]:
    """Definitions each of which leads to the next on the same value, three subschemas deep."""
    steps = {f"d{n}": {"allOf": [{"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, False]}]} for n in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**steps, f"d{length}": last}}


def union(kinds: int, *, told_apart: bool = True) -> dict[str, Any]:
    branches = [
        {
            "required": ["kind"],
            "properties": {"kind": {"const": f"k{n}"} if told_apart else {}, "a": {"$ref": "#"}},
        }
        for n in range(kinds)
    ]
    return {"oneOf": branches}


TWOFOLD = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"properties": {"a": {"type": "string"}}, "additionalProperties": False},
        {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
        {"$defs": {"n": {"items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"},
        union(30),
        {"properties": {"s": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}},
        {
            "$id": "https://a.example/tree",
            "$dynamicAnchor": "node",
            "properties": {"children": {"items": {"$dynamicRef": "#node"}}},
        },
        {"properties": {"$id": {"const": 1}, "default": {"examples": [{"$id": "x"}, {"$id": "x"}]}}},
    ],
)
def test_what_is_recursive_once_a_level_has_room(schema: dict[str, Any]) -> None:
    visits = visits_by_level(schema)
    assert len(visits) == MAX_LEVELS + 1
    assert max(visits) <= 100


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"$ref": "#"}, ""),
        ({"allOf": [{"$ref": "#"}]}, ""),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}},
            None,
        ),
        ({"$ref": "https://ACME.example/x", "$defs": {"x": {"$id": "https://acme.example/x"}}}, "/$ref"),
        ({"$defs": {"a": {"$id": "x"}, "b": {"$id": "x"}}}, None),
        ({"$defs": {"a": {"$schema": "https://json-schema.org/draft/2019-09/schema"}}}, "/$defs/a/$schema"),
        (
            {"$ref": "#/examples/0", "examples": [{"$ref": "#/$defs/a"}], "$defs": {"a": {}}},
            "/examples/0/$ref",
        ),
        (chain(2_000, {}), ""),
        (union(10, told_apart=False), ""),
    ],
)
def test_what_has_no_bound_is_refused(schema: dict[str, Any], pointer: str | None) -> None:
    with pytest.raises(Unclear) as caught:
        visits_by_level(schema)
    assert caught.value.fault.detail
    if pointer is not None:
        assert caught.value.fault.pointer == pointer
    with pytest.raises(InvalidSchema):
        read_schema(schema)


def test_a_fan_of_references_is_refused() -> None:
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    with pytest.raises(InvalidSchema):
        read_schema(json.loads(json.dumps({"$ref": "#/$defs/d0", "$defs": {**twice, "d30": {}}})))


@pytest.mark.parametrize("schema", [TWOFOLD, union(2, told_apart=False)])
def test_what_is_recursive_twice_a_level_has_few_levels(schema: dict[str, Any]) -> None:
    levels = len(visits_by_level(schema)) - 1
    assert 8 <= levels < 20
    compiled = compile_schema(read_schema(schema).text)
    started = time.process_time()
    assert compiled.faults(nested(levels), 100) == [] or schema is not TWOFOLD
    ((pointer, detail),) = [
        (f.pointer, f.detail) for f in compiled.faults(nested(levels + 1), 100, brackets=99)
    ]
    assert (pointer, f"more than {levels} levels" in detail) == ("", True)
    assert time.process_time() - started < brief()


def test_much_data_for_many_references_is_refused_at_once() -> None:
    schema = {"items": {"allOf": [{"allOf": [{"allOf": [{} for _ in range(20)]}] * 20}] * 20}}
    compiled = compile_schema(read_schema(json.loads(json.dumps(schema))).text)
    started = time.process_time()
    (fault,) = compiled.faults([1] * 200_000, 400_000)
    assert "too much data" in fault.detail
    assert compiled.faults([1] * 100, 200) == []
    assert time.process_time() - started < brief()


ANY = {"anyOf": [{"properties": {f"k{n}": True}} for n in range(3_000)]}


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        ({"items": {"dependentRequired": {f"k{n}": ["a"] for n in range(9_000)}}}, [{}] * 300_000),
        ({"items": {"anyOf": [{"enum": [[], *range(9_000)]}, True]}}, [-1] * 300_000),
        ({"items": {"anyOf": [{"enum": [{"a": n} for n in range(4_000)]}, True]}}, [{"a": -1}] * 100_000),
        ({"items": {"anyOf": [{"enum": [[*[1] * 100, n] for n in range(90)]}, True]}}, [[1] * 101] * 4_000),
        ({**ANY, "unevaluatedProperties": True}, {str(n): 1 for n in range(70_000)}),
    ],
    ids=["dependentRequired", "enum", "enum of objects", "enum of arrays", "unevaluatedProperties"],
)
def test_what_is_compared_one_by_one_counts(schema: dict[str, Any], data: Any) -> None:
    text = json.dumps(data, separators=(",", ":"))
    compiled = compile_schema(read_schema(json.loads(json.dumps(schema))).text)
    started = time.process_time()
    (fault,) = compiled.faults(json.loads(text), len(text))
    assert "too much data" in fault.detail
    few = data[:50] if isinstance(data, list) else {"1": 1}
    assert compiled.faults(few, 1_000) == []
    assert time.process_time() - started < brief()


def test_texts_to_choose_from_cost_nothing() -> None:
    schema = {"items": {"enum": [f"choice {n}" for n in range(9_000)]}}
    assert max(visits_by_level(schema)) == 1
    assert compile_schema(read_schema(schema).text).faults(["choice 8999"] * 50_000, 700_000) == []


CRASHES = """
from tests.unit.core.test_schema_cost import chain, nested
from shared.core.json_schema import compile_schema, read_schema
last = {"properties": {"a": {"$ref": "#/$defs/d0"}}, "additionalProperties": False}
compiled = compile_schema(read_schema(chain(40, last)).text)
print([fault.detail for fault in compiled.faults(nested(190, inner={"b": 1}), 2_000)])
"""


def test_the_stack_does_not_run_out() -> None:
    """In a process of its own: the validator would end this one."""
    done = subprocess.run([sys.executable, "-c", CRASHES], capture_output=True, text=True, check=True)
    assert "which is too deep for this schema" in done.stdout


NAMES = st.sampled_from(["a", "b"])
REFERENCES = st.sampled_from(
    [{"$ref": "#"}, {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y"}, {"type": "integer"}, {}]
)
SUBSCHEMAS = st.recursive(
    REFERENCES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner, max_size=2)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner), "additionalProperties": inner}),
        st.fixed_dictionaries({"items": inner}),
    ),
    max_leaves=6,
)


@given(SUBSCHEMAS, SUBSCHEMAS, SUBSCHEMAS, NAMES)
def test_every_schema_that_is_taken_is_quick(root: Any, x: Any, y: Any, name: str) -> None:
    try:
        compiled = compile_schema(read_schema({**root, "$defs": {"x": x, "y": y}}).text)
    except InvalidSchema:
        return
    assert max(visits_by_level({**root, "$defs": {"x": x, "y": y}})) <= MAX_VISITS
    started = time.process_time()
    for levels in (1, 10, 20, 60, 199):
        compiled.faults(nested(levels, name), 10 * levels)
    assert time.process_time() - started < brief()
