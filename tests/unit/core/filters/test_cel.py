"""The dialect cel: what it sees, what it says, and what it may cost."""

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cloudevents import DataKind
from shared.core.filters import EventData, InvalidFilter, Verdict, compile_filters
from shared.core.filters.cel_cost import MAX_COST
from shared.core.filters.compiler import MAX_CEL

EVENT: dict[str, str | int | bool] = {
    "type": "com.acme.order.created", "source": "/shop", "id": "1", "count": 5, "flag": True,
    "time": "2026-11-27T10:00:00Z",
}  # fmt: skip
ORDER = {
    "total": 150,
    "lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}],
    "note": None,
    "who": {"name": "Ann"},
}


def given_json(value: Any) -> EventData:
    return EventData(json.dumps(value).encode(), DataKind.JSON)


def passes(text: str, data: EventData | None = None) -> bool:
    return compile_filters([{"cel": text}]).matches(EVENT, data or given_json(ORDER))


def explained(text: str, value: Any = ORDER) -> Verdict:
    return compile_filters([{"cel": text}]).explain(EVENT, given_json(value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('type == "com.acme.order.created"', True),
        ('event.type.startsWith("com.acme.")', True),
        ('event["source"] == "/shop" && data.total > 100', True),
        ("event.count == 5 && event.flag", True),
        ("has(event.subject)", False),
        ('subject == "x"', False),
        ('!has(event.subject) || event.subject == "x"', True),
        ('timestamp(time) < timestamp("2027-01-01T00:00:00Z")', True),
        ("data.total == 150.0", True),
        ('data.lines.exists(l, l.sku == "b" && l.n > 1)', True),
        ('data.lines.all(l, l.sku == "b")', False),
        ('data.lines.map(l, l.sku + "!").exists(s, s == "b!")', True),
        ("size(data.lines.filter(l, l.n > 1)) == 1", True),
        ("data.note == null", True),
        ("has(data.who.name) && !has(data.who.age)", True),
        ("data.missing == 1", False),
        ("data.missing == 1 || true", True),
        ('data.who.name.matches("^A.n$")', True),
        ("1 / 0 == 1", False),
        ("data.total", False),
        ("type(event.count) == int", True),
    ],
)
def test_only_true_passes(text: str, expected: bool) -> None:
    assert passes(text) is expected
    assert compile_filters([{"not": {"cel": text}}]).matches(EVENT, given_json(ORDER)) is not expected


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        (None, DataKind.NONE, "data == null"),
        (b"null", DataKind.JSON, "data == null"),
        (b'"a"', DataKind.JSON, 'data == "a"'),
        (b"[1, 2.5]", DataKind.JSON, "data[0] == 1 && data[1] == 2.5"),
        (b"18446744073709551615", DataKind.JSON, "data == 18446744073709551615u"),
        ("grün".encode(), DataKind.TEXT, 'data == "grün"'),
        (b"{}", DataKind.TEXT, 'data == "{}"'),
        (b"\x00\xff", DataKind.BINARY, 'data == "AP8="'),
        (
            b'{"a": "admin\\u0000x", "b\\u0000": 1}',
            DataKind.JSON,
            'data.a != "admin" && data["b\\ufffd"] == 1',
        ),
        (b"admin\x00x", DataKind.TEXT, 'data != "admin" && data.startsWith("admin")'),
    ],
)
def test_data_is_what_the_event_carries(raw: bytes | None, kind: DataKind, text: str) -> None:
    assert passes(text, EventData(raw, kind))


@pytest.mark.parametrize("raw", [b'{"n": 1e999999}', b'"\\ud800"', b"[" * 5000 + b"]" * 5000])
def test_data_that_cannot_be_read_is_an_error_and_no_crash(raw: bytes) -> None:
    data = EventData(raw, DataKind.JSON)
    verdict = compile_filters([{"cel": "data.n == 1"}]).explain(EVENT, data)
    assert not verdict.matched
    assert verdict.error
    assert passes('type != ""', data)


def test_an_integer_past_64_bits_is_the_nearest_double() -> None:
    big = given_json({"big": 2**70, "n": 1, "l": [2**64 - 1, -(2**63)]})
    assert passes("data.n == 1 && data.big > 1e21 && data.big < 2e21", big)
    assert passes("data.l[0] == 18446744073709551615u && data.l[1] == -9223372036854775808", big)


def test_data_is_read_once_and_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    read = EventData._read
    monkeypatch.setattr(EventData, "_read", lambda self: reads.append(1) or read(self))
    data = given_json(ORDER)
    assert compile_filters([{"cel": 'type != "x"'}]).matches(EVENT, data)
    assert reads == []
    for text in ("data.total > 1", "data.total > 2", "has(data.who)"):
        assert compile_filters([{"cel": text}]).matches(EVENT, data)
    assert reads == [1]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('type == "a" && data.total > 1', "type is com.acme.order.created; data.total is 150"),
        ("has(event.subject)", "subject is missing"),
        ("data.who.age == 1", "data.who.age is missing"),
        ("size(data.lines) == 0", "data.lines is a list of 2"),
        ("data.note == true", "data.note is null"),
        ("1 == 2", "the expression is false"),
    ],
)
def test_what_it_saw_is_told(text: str, detail: str) -> None:
    verdict = explained(text)
    assert (verdict.matched, verdict.clause) == (False, {"cel": text})
    assert detail in str(verdict.detail)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("data.missing == 1", "no such key: missing"),
        ("1 / 0 == 1", "divide by zero"),
        ("data.total", "the result is not a Boolean but a value of type int"),
        ('subject == "x"', "subject is missing"),
    ],
)
def test_an_error_is_told_as_one(text: str, error: str) -> None:
    verdict = explained(text)
    assert verdict.error == error
    assert str(verdict.detail).startswith(f"error: {error}")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("type ==", "line 1, column 8: Syntax error"),
        (
            'type == "a" &&\n  partitionkey == "x"',
            "line 2, column 3: undeclared reference to 'partitionkey'; ",
        ),
        ("has(subject)", "write has(event.NAME) or has(data.NAME)"),
        ("1 + 2", "must be true or false; this is a value of type int"),
        ('data.s.matches("(")', "is not a regular expression"),
        ("data.s.matches(data.p)", "must be a text in quotes"),
        ('"\ud800" == "x"', "U+D800"),
        ("true\x00 && false", "U+0000"),
        ("true " * 500, "at most 2000 characters"),
        ("(" * 100 + "true" + ")" * 100, ""),
        ("-".join(["1"] * 100) + " == 1", "recursion depth"),
        ("data.a.all(x, data.a.all(y, data.a.all(z, data.a.all(w, w))))", "more than 3 inside each other"),
        (" && ".join(["data.a.all(x, x)"] * 9), "more than 8 loops"),
        ("data.a.map(x, x + x).map(x, x + x).size() > 0", "builds on what a `map` has built"),
        ("data.a.map(x, [x, x]).map(x, [x, x]).size() > 0", "builds on what a `map` has built"),
        ("(" + " + ".join(["data.s"] * 18) + ') == "x"', "more than 16 places"),
    ],
)
def test_what_cannot_be_one_is_refused(text: str, detail: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filters([{"cel": text}])
    assert caught.value.pointer == "/filters/0/cel"
    assert detail in caught.value.detail


def test_a_filter_has_only_so_many() -> None:
    compile_filters([{"cel": "true"}] * MAX_CEL)
    with pytest.raises(InvalidFilter, match="more than the 10 cel"):
        compile_filters([{"any": [{"cel": "true"}] * (MAX_CEL + 1)}])


def test_a_caret_stands_under_the_place() -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filters([{"cel": 'type == "a" &&\n  nope == 1'}])
    assert caught.value.detail.endswith("\n  nope == 1\n  ^")


LONG = {"a": list(range(5_000)), "s": "a" * 300_000, "b": [{"s": "a" * 50} for _ in range(5_000)]}


@pytest.mark.parametrize(
    "text",
    [
        'data.a.all(x, !data.s.contains("b"))',
        'data.a.all(x, !data.s.matches("(a|b)*c"))',
        "data.a.map(x, data.s + data.s).size() > 0",
        "data.a.all(x, x in data.a)",
        "data.a.all(x, data.a.all(y, x != y || data.s == data.s))",
        "data.a.map(x, [data, data]) == data.a.map(x, [data, data])",
    ],
)
def test_what_would_cost_too_much_is_an_error_and_not_a_wait(text: str) -> None:
    started = time.process_time()
    verdict = explained(text, LONG)
    assert time.process_time() - started < 2
    assert verdict.error
    assert f"{MAX_COST:,}" in verdict.error
    assert not passes(text, given_json(LONG))


def test_the_steps_of_loops_are_bounded() -> None:
    many = given_json({"a": list(range(20_000))})
    verdict = compile_filters([{"cel": "data.a.all(x, x >= 0)"}]).explain(EVENT, many)
    assert verdict.error == "Iteration budget exceeded"
    assert passes('data.b.all(l, !l.s.contains("b"))', given_json(LONG))


def test_the_library_is_loaded_by_the_first_filter_that_needs_it() -> None:
    code = (
        "import sys; from shared.core.filters import compile_filters; compile_filters([{'exact': {'type': 'a'}}]);"
        "print('cel_expr_python' in sys.modules, 'shared.core.cesql' in sys.modules);"
        "compile_filters([{'cel': 'true'}]); print('cel_expr_python' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "False", "True"]


atoms = st.sampled_from(
    [
        'type == "a"', 'event.type in ["a", "b"]', "event.count > 3", "event.flag == true", 'subject == "x"',
        "data.n > 3", "has(data.n)", 'data.l.exists(i, i == "x")', "1 / event.count == 0", "data == null",
    ]
)  # fmt: skip
texts = st.recursive(
    atoms,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner)
        | st.builds("!({})".format, inner)
    ),
    max_leaves=6,
)
values = st.sampled_from(["a", "ab", "5", "true"]) | st.integers(0, 6) | st.booleans()
events = st.dictionaries(st.sampled_from(["type", "subject", "count", "flag"]), values)
documents = st.none() | st.fixed_dictionaries(
    {},
    optional={"n": st.integers() | st.text(max_size=2), "l": st.lists(st.sampled_from(["x", 1]), max_size=3)},
)


@given(texts, events, documents)
def test_explain_and_matches_never_disagree(
    text: str, event: dict[str, str | int | bool], value: Any
) -> None:
    compiled = compile_filters([{"cel": text}])
    data = given_json(value)
    verdict = compiled.explain(event, data)
    assert verdict.matched == compiled.matches(event, given_json(value))
    assert verdict.matched == (verdict.clause is None) == (verdict.detail is None)


@given(st.text(max_size=60) | st.text("()[]{}.!&|=\"'+datype1 ", max_size=60))
def test_no_text_crashes_it(text: str) -> None:
    try:
        compiled = compile_filters([{"cel": text}])
    except InvalidFilter:
        return
    compiled.explain(EVENT, given_json(ORDER))


IN_BERLIN = 'timestamp(time).getHours("Europe/Berlin") == 11'


def test_time_zones_go_by_their_names():
    assert passes(IN_BERLIN)


def test_a_machine_without_time_zones_has_those_of_the_package():
    """The image is one; here the place where the machine has them is said to be another."""
    script = f"""
import os
from pathlib import Path
from shared.core.filters import EventData, cel, compile_filters
cel.ZONES = Path("/nowhere")
os.environ.pop("TZDIR", None)
matcher = compile_filters([{{"cel": {IN_BERLIN!r}}}])
from shared.core.cloudevents import DataKind
assert matcher.matches({EVENT!r}, EventData(b"{{}}", DataKind.JSON))
assert Path(os.environ["TZDIR"], "Europe/Berlin").is_file()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
