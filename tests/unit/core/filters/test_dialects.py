"""Filter dialects: what they match, what they say when they do not, and what cannot be a filter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.filters import MAX_CLAUSES, MAX_DEPTH, InvalidFilter, compile_filters

EVENT = {"type": "com.acme.order.created", "source": "/shop", "id": "1", "count": 5, "flag": True}

names = st.sampled_from(["type", "source", "subject", "count", "flag"])
texts = st.sampled_from(["a", "ab", "b", "true", "5", "com"])
leaves = st.builds(
    lambda dialect, entries: {dialect: entries},
    st.sampled_from(["exact", "prefix", "suffix"]),
    st.dictionaries(names, texts, min_size=1, max_size=3),
)
clauses = st.recursive(
    leaves,
    lambda inner: (
        st.builds(
            lambda d, n: {d: n}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        )
        | st.builds(lambda n: {"not": n}, inner)
    ),
    max_leaves=12,
)
attributes = st.dictionaries(names, texts | st.integers(0, 6) | st.booleans(), max_size=5)


def passes(*filters: Any) -> bool:
    return compile_filters(list(filters)).matches(EVENT)


@pytest.mark.spec("S07")
@pytest.mark.parametrize("filters", [[], None])
def test_no_filters_pass_every_event(filters: Any) -> None:
    assert compile_filters(filters).matches(EVENT)


@pytest.mark.spec("S14", "S15", "K4.6", "K4.7")
@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ({"exact": {"type": "com.acme.order.created"}}, True),
        ({"exact": {"type": "com.acme.Order.created"}}, False),
        ({"exact": {"type": "com.acme.order.created", "source": "/other"}}, False),
        ({"prefix": {"type": "com.acme."}}, True),
        ({"prefix": {"type": "acme"}}, False),
        ({"suffix": {"type": ".created"}}, True),
        ({"suffix": {"type": "order"}}, False),
        ({"exact": {"subject": "x"}}, False),
        ({"not": {"exact": {"subject": "x"}}}, True),
        ({"all": [{"prefix": {"type": "com"}}, {"exact": {"source": "/shop"}}]}, True),
        ({"any": [{"exact": {"id": "2"}}, {"exact": {"id": "1"}}]}, True),
        ({"any": [{"exact": {"id": "2"}}, {"exact": {"id": "3"}}]}, False),
    ],
)
def test_dialects(clause: dict[str, Any], expected: bool) -> None:
    assert passes(clause) is expected


@pytest.mark.spec("S21")
def test_values_that_are_not_text_compare_by_their_canonical_string() -> None:
    assert passes({"exact": {"count": "5"}}, {"exact": {"flag": "true"}})
    assert not passes({"exact": {"flag": "True"}})


@pytest.mark.spec("S08", "S16", "S17", "S18", "S19")
@pytest.mark.parametrize(
    ("filters", "pointer"),
    [
        ({}, "/filters"),
        ("type", "/filters"),
        ([1], "/filters/0"),
        ([{}], "/filters/0"),
        ([{"exact": {"a": "b"}, "prefix": {"a": "b"}}], "/filters/0"),
        ([{"exact": {}}], "/filters/0/exact"),
        ([{"exact": []}], "/filters/0/exact"),
        ([{"exact": {"type": ""}}], "/filters/0/exact/type"),
        ([{"exact": {"type": 5}}], "/filters/0/exact/type"),
        ([{"prefix": {"type": "a\x00"}}], "/filters/0/prefix/type"),
        ([{"prefix": {"type": "\ud800"}}], "/filters/0/prefix/type"),
        ([{"exact": {"": "x"}}], "/filters/0/exact/"),
        ([{"exact": {"Type": "x"}}], "/filters/0/exact/Type"),
        ([{"exact": {"a/b": "x"}}], "/filters/0/exact/a~1b"),
        ([{"exact": {"data": "x"}}], "/filters/0/exact/data"),
        ([{"all": []}], "/filters/0/all"),
        ([{"any": {}}], "/filters/0/any"),
        ([{"exact": {"a": "b"}}, {"not": [{"exact": {"a": "b"}}]}], "/filters/1/not"),
        ([{"any": [{"exact": {"a": "b"}}, {"nope": 1}]}], "/filters/0/any/1/nope"),
        ([{"sql": "type = "}], "/filters/0/sql"),
        ([{"sql": ""}], "/filters/0/sql"),
        ([{"sql": {"a": "b"}}], "/filters/0/sql"),
        ([{"not": {"cesql": "data.total = 5"}}], "/filters/0/not/cesql"),
        ([{"cel": "type =="}], "/filters/0/cel"),
        ([{"cel": 5}], "/filters/0/cel"),
    ],
)
def test_what_cannot_be_a_filter_is_pointed_at(filters: Any, pointer: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filters(filters)
    assert caught.value.pointer == pointer
    assert caught.value.detail


def test_too_deep_and_too_many_are_refused_without_a_crash() -> None:
    deep: Any = {"exact": {"a": "b"}}
    for _ in range(MAX_DEPTH):
        deep = {"not": deep}
    with pytest.raises(InvalidFilter, match="deep"):
        compile_filters([deep])
    with pytest.raises(InvalidFilter, match="clauses"):
        compile_filters([{"exact": {"a": "b"}}] * (MAX_CLAUSES + 1))


@pytest.mark.parametrize(
    ("filters", "clause", "detail"),
    [
        (
            [{"exact": {"source": "/shop"}}, {"exact": {"type": "x"}}],
            {"exact": {"type": "x"}},
            "type is com.acme.order.created",
        ),
        ([{"prefix": {"subject": "x"}}], {"prefix": {"subject": "x"}}, "subject is missing"),
        (
            [{"all": [{"exact": {"id": "1"}}, {"suffix": {"source": "x"}}]}],
            {"suffix": {"source": "x"}},
            "source is /shop",
        ),
        ([{"not": {"exact": {"id": "1"}}}], {"not": {"exact": {"id": "1"}}}, "id is 1"),
        (
            [{"any": [{"exact": {"id": "2"}}, {"exact": {"id": "3"}}]}],
            {"any": [{"exact": {"id": "2"}}, {"exact": {"id": "3"}}]},
            "id is 1",
        ),
    ],
)
def test_explain_names_the_first_failing_clause_and_what_it_saw(
    filters: Any, clause: dict[str, Any], detail: str
) -> None:
    verdict = compile_filters(filters).explain(EVENT)
    assert (verdict.matched, verdict.clause, verdict.detail) == (False, clause, detail)


def test_an_explanation_stays_short() -> None:
    many = compile_filters([{"any": [{"exact": {f"a{i}": "x"}} for i in range(100)]}])
    assert many.explain(EVENT).detail == "; ".join(f"a{i} is missing" for i in range(5))
    detail = compile_filters([{"exact": {"subject": "x"}}]).explain({"subject": "y" * 5000}).detail
    assert detail == f"subject is {'y' * 200}…"


@given(st.lists(clauses, max_size=4), attributes)
def test_explain_and_matches_never_disagree(filters: list[Any], event: dict[str, Any]) -> None:
    compiled = compile_filters(filters)
    verdict = compiled.explain(event)
    assert verdict.matched == compiled.matches(event)
    assert verdict.matched == (verdict.clause is None) == (verdict.detail is None)


@given(clauses, attributes)
def test_not_turns_a_verdict_round(clause: Any, event: dict[str, Any]) -> None:
    once = compile_filters([clause]).matches(event)
    assert compile_filters([{"not": clause}]).matches(event) is not once
    assert compile_filters([{"not": {"not": clause}}]).matches(event) is once


@given(st.lists(clauses, min_size=1, max_size=4), attributes)
def test_the_array_is_an_all(filters: list[Any], event: dict[str, Any]) -> None:
    alone = all(compile_filters([clause]).matches(event) for clause in filters)
    assert compile_filters(filters).matches(event) is alone
    assert compile_filters([{"all": filters}]).matches(event) is alone
