"""The dialect sql: what passes, what is said of what does not, and what cannot be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.filters import InvalidFilter, Verdict, compile_filters
from shared.core.filters.advice import warnings

EVENT = {"type": "com.acme.order.created", "source": "/shop", "id": "1", "count": 5, "flag": True}


def explained(text: str) -> Verdict:
    return compile_filters([{"sql": text}]).explain(EVENT)


@pytest.mark.spec("S20", "Q03")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type LIKE 'com.acme.%'", True),
        ("type = 'com.acme.order.created' AND count > 4", True),
        ("count > 5", False),
        ("missing = 'x'", False),
        ("1 / 0 = 1", False),
        ("type", False),
        ("count", False),
        ("flag", True),
    ],
)
def test_only_true_passes(text: str, expected: bool) -> None:
    assert compile_filters([{"sql": text}]).matches(EVENT) is expected
    assert compile_filters([{"not": {"sql": text}}]).matches(EVENT) is not expected


@pytest.mark.spec("K4.6")
def test_knative_calls_it_cesql() -> None:
    assert compile_filters([{"cesql": "count = 5"}]).matches(EVENT)
    assert compile_filters([{"cesql": "count = 5"}]).key == compile_filters([{"sql": "count = 5"}]).key


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("type = 'a' AND missing = 'x'", "`type = 'a'` is false: type is com.acme.order.created"),
        ("count = 5 AND source IN ('/a', '/b')", "`source IN ('/a', '/b')` is false: source is /shop"),
        ("count = 5 AND (flag AND count > 7)", "`count > 7` is false: count is 5"),
        ("source = '/a' OR source = '/b'", "`source = '/a' OR source = '/b'` is false: source is /shop"),
        ("1 = 2", "`1 = 2` is false"),
    ],
)
def test_the_part_that_failed_is_shown_with_what_it_saw(text: str, detail: str) -> None:
    verdict = explained(text)
    assert (verdict.matched, verdict.clause, verdict.detail) == (False, {"sql": text}, detail)
    assert verdict.error is None


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("missing = 'x'", "missingAttribute error in `missing = 'x'`: "),
        ("INT(type) > 5", "cast error in `"),
        ("count / 0 = 1", "math error in `count / 0 = 1`: division by 0"),
        ("count", "the result is not a Boolean but 5"),
    ],
)
@pytest.mark.spec("K4.7")
def test_an_error_is_told_as_one(text: str, start: str) -> None:
    verdict = explained(text)
    assert not verdict.matched
    assert verdict.error is not None
    assert verdict.error.startswith(start)
    assert str(verdict.detail).startswith(start)


@pytest.mark.spec("S20")
@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("data.total > 5", "CESQL has no `data`: use `cel` (at character 1)\ndata.total > 5\n^"),
        (
            "type = 'a' AND data['x'] = 5",
            "CESQL has no `data`: use `cel` (at character 16)\ntype = 'a' AND data['x'] = 5\n               ^",
        ),
        ("EXISTS data", "CESQL has no `data`: use `cel` (at character 8)\nEXISTS data\n       ^"),
    ],
)
def test_data_is_not_there_and_cel_is_named(text: str, detail: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filters([{"sql": text}])
    assert caught.value.detail == detail


def test_a_fault_has_its_place_and_a_caret() -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filters([{"any": [{"exact": {"type": "a"}}, {"sql": "type = 'a' AND ("}]}])
    assert caught.value.pointer == "/filters/0/any/1/sql"
    message, line, caret = caught.value.detail.split("\n")
    assert "at character" in message
    assert line.startswith("type = 'a' AND (")
    assert caret.endswith("^")


@pytest.mark.parametrize("name", ["data", "data.total"])
@pytest.mark.parametrize("dialect", ["exact", "prefix", "suffix"])
def test_data_in_other_dialects_points_to_cel(dialect: str, name: str) -> None:
    with pytest.raises(InvalidFilter, match="use `cel`"):
        compile_filters([{dialect: {name: "x"}}])


def test_mixes_without_parentheses_are_warned_of() -> None:
    mixed = "type = 'a' OR type = 'b' AND source = 'c'"
    found = list(warnings([{"exact": {"type": "a"}}, {"any": [{"not": {"sql": mixed}}]}]))
    assert [pointer for pointer, _ in found] == ["/filters/1/any/0/not/sql"]
    assert "this means (type = 'a' OR type = 'b') AND …" in found[0][1]
    clear = "(type = 'a' OR type = 'b') AND source = 'c'"
    assert list(warnings([{"sql": clear}, {"cel": mixed}])) == []


def test_what_no_event_passes_is_warned_of() -> None:
    [(pointer, text)] = warnings([{"sql": "count + 1"}])
    assert pointer == "/filters/0/sql"
    assert "Integer" in text


parts = st.sampled_from(
    [
        "type = 'a'", "type LIKE 'a%'", "count > 4", "count = '5'", "flag", "missing = 'x'", "EXISTS subject",
        "INT(type) = 5", "LENGTH(source) > 2", "source IN ('a', 'b')", "1 / count = 0", "NOT flag",
    ]
)  # fmt: skip
texts = st.recursive(
    parts,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR", "XOR"]), inner)
        | st.builds("NOT ({})".format, inner)
    ),
    max_leaves=6,
)
values = st.sampled_from(["a", "ab", "5", "true"]) | st.integers(0, 6) | st.booleans()
events = st.dictionaries(st.sampled_from(["type", "source", "subject", "count", "flag"]), values)


@given(texts, events)
def test_explain_and_matches_never_disagree(text: str, event: dict[str, str | int | bool]) -> None:
    compiled = compile_filters([{"sql": text}])
    verdict = compiled.explain(event)
    assert verdict.matched == compiled.matches(event)
    assert verdict.matched == (verdict.clause is None) == (verdict.detail is None)
