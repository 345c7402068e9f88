"""What an index may use of a CEL expression, held against what the library says."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.core.cloudevents import DataKind
from shared.core.filters import UNSURE, Attributes, EventData, InvalidFilter, Need, Needs, compile_filters
from shared.core.filters.cel_cost import MAX_COST

INTEGERS = [0, 1, -1, 2, 5, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, 2**70]
TEXTS = ["", "a", "ab", "b", "1", "true", "é", "e\u0301", "a\u0000b", "\U0001f600", "null"]
LITERALS = [
    "0", "1", "-1", "5", "2u", "1.0", "-0.0", "0.5", "9007199254740992", "9007199254740993", "9007199254740992.0",
    "9223372036854775807", "18446744073709551615u", "1e300", "true", "false", "null", '""', '"a"', '"ab"', '"b"',
    '"é"', '"\\U0001F600"', '"a\\ufffdb"', "b'a'", "[1]", "1 + 1", 'duration("1s")',
]  # fmt: skip
PLACES = [
    "data", "data.a", "data.a.b", 'data["a"]', 'data.a["b"]', "data.a.a", "data[0]", "data[1]", "event.x",
    'event["x"]', "event.n", "subject", "type", "event.x.y", "size(data.a)",
]  # fmt: skip

places, literals = st.sampled_from(PLACES), st.sampled_from(LITERALS)
compared = st.one_of(
    st.builds("{} {} {}".format, places, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), literals),
    st.builds("{} {} {}".format, literals, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), places),
    st.builds("{} in [{}, {}]".format, places, literals, literals),
    st.builds("{} in {{{}: {}}}".format, places, literals, literals),
    st.builds("{} in {}".format, literals, places),
    st.builds("{}.{}({})".format, places, st.sampled_from(["startsWith", "endsWith", "contains"]), literals),
    st.builds("has({})".format, st.sampled_from(["data.a", "data.a.b", "data.a.a", "event.x", "event.x.y"])),
    st.builds(
        "has({}) == {}".format, st.sampled_from(["data.a", "event.x"]), st.sampled_from(["true", "false"])
    ),
    st.builds("data.a.exists(data, data == {})".format, literals),
    places,
)
expressions = st.recursive(
    compared,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("!({})".format, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
    ),
    max_leaves=5,
)
scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from(INTEGERS)
    | st.sampled_from(TEXTS)
    | st.sampled_from([1.0, -0.0, 0.5, 2.0**53, 2.0**53 + 2, 1e300])
)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "é"]), inner, max_size=3)
    ),
    max_leaves=5,
) | st.fixed_dictionaries({"a": scalars | st.fixed_dictionaries({"b": scalars})})
raws = documents.map(lambda value: json.dumps(value).encode()) | st.sampled_from(
    [b"{", b'{"a": 1e999}', b'{"a": NaN}', b'"\\ud800"', b"[" * 3000]
)
events = st.dictionaries(
    st.sampled_from(["x", "n", "subject", "type"]),
    st.sampled_from(["a", "ab", "b", "é", "1", "true"]) | st.integers(-1, 5) | st.booleans(),
    max_size=4,
)


def holds(need: Need, event: Attributes, data: EventData) -> bool | None:
    """None when that is not sure."""
    if not need.fits(event):
        return False
    values = [(found, found.term.value(event, data)) for found in need.comparisons]
    if not all(found.holds(value) for found, value in values if value is not UNSURE):
        return False
    return None if any(value is UNSURE for _, value in values) else True


@settings(max_examples=800, deadline=None)
@given(expressions, events, raws)
@example("!has(data.a.a)", {}, b'{"a": 1}')
@example("has(data.a) == true", {}, b'{"a": false}')
@example("!(data.a == true)", {}, b'{"a": 0}')
@example("type != 'a' && !(0 == event.type)", {}, b"null")
@example("type != 'a'", {}, b"null")
@example("!data.a", {}, b'{"a": 0}')
@example("type in {'a': 'b'}", {"type": "b"}, b"null")
@example("type == 'a' || data.a == 1", {"type": "a"}, b"{")
@example("data.a > 9007199254740992.0", {}, b'{"a": 9007199254740993}')
def test_what_is_needed_is_there_and_decides_where_it_is_complete(
    text: str, event: Attributes, raw: bytes
) -> None:
    try:
        compiled = compile_filters([{"cel": text}])
    except InvalidFilter:
        return
    needs: Needs | None = compiled.root.needs  # type: ignore[attr-defined]
    if needs is None:
        return
    data = EventData(raw, DataKind.JSON)
    said = [holds(need, event, data) for need in needs.alternatives]
    matches = compiled.matches(event, EventData(raw, DataKind.JSON))
    if matches:
        assert True in said or None in said
    elif needs.complete:
        assert True not in said


@pytest.mark.parametrize(
    ("text", "alternatives", "complete"),
    [
        ('type == "a" && data.n > 5', 1, True),
        ('data.who.name == "Ann" || data.n in [1, 2.5]', 2, True),
        ("!(data.n > 5 && data.vip)", 2, True),
        ('has(data.n) && !has(data.who.age) && data.s.startsWith("x") && data.n != null', 1, True),
        ('type == "a" && data.n > data.m', 1, False),
        ("data.n > 9007199254740993", 0, False),
        ('data.s.contains("x")', 0, False),
        ("data.lines.exists(l, l.n > 5)", 0, False),
        ('type == "a" || data.s.contains("x")', 0, False),
        ("data.n == 1 ? data.m == 1 : data.m == 2", 0, False),
    ],
)
def test_what_is_read_of_an_expression(text: str, alternatives: int, complete: bool) -> None:
    needs = compile_filters([{"cel": text}]).root.needs  # type: ignore[attr-defined]
    assert (len(needs.alternatives) if needs else 0) == alternatives
    assert (needs is not None and needs.complete) is complete


def test_data_too_large_for_an_expression_is_not_looked_up_either() -> None:
    text = " && ".join(['data.a in ["a", "b"]'] * 40)
    compiled = compile_filters([{"cel": text}])
    (need,) = compiled.root.needs.alternatives  # type: ignore[attr-defined]
    for size, expected in ((1000, True), (MAX_COST // 40 + 1, False)):
        data = EventData(b'{"a": "a", "b": "' + b"x" * (size - 19) + b'"}', DataKind.JSON)
        assert data.size == size
        assert compiled.matches({}, data) is expected
        assert holds(need, {}, data) is expected
