"""What is true of every expression and every event."""

import string
import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.core.cesql import Expression, Limits, ParseError, parse
from shared.core.cesql.compiler import compile_match, compile_value
from shared.core.cesql.explanation import explain
from shared.core.cesql.folding import fold
from shared.core.cesql.interpreter import Fault, evaluate
from shared.core.cesql.nodes import Node
from shared.core.cesql.requirement import required
from shared.core.cesql.values import CASTS, primitive
from shared.core.cesql.writer import write
from tests.unit.core.cesql.strategies import attributes, filters, trees

MANY = settings(max_examples=200)
TOKENS = (
    *(
        "AND",
        "OR",
        "XOR",
        "NOT",
        "LIKE",
        "IN",
        "EXISTS",
        "TRUE",
        "false",
        "=",
        "!=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
    ),
    *(
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        ",",
        "'a%'",
        '"b"',
        "'",
        '"',
        "\\",
        "1",
        "-1",
        "2147483648",
        "type",
        "1a",
    ),
    *("LENGTH", "CONCAT", "_", "\n", "é", "\x00", "\ud800", "²"),
)


def attempt(text: str) -> Expression | ParseError:
    """What a text is."""
    try:
        return parse(text)
    except ParseError as error:
        return error


def valued(node: Node, event: dict[str, Any]) -> Any:
    """What the interpreter says: a value, or None after an error."""
    try:
        return evaluate(node, event)
    except Fault:
        return None


@MANY
@given(
    st.text() | st.text(alphabet=string.printable) | st.lists(st.sampled_from(TOKENS)).map(" ".join),
    attributes,
)
@example("(" * 8_000, {})
@example("NOT " * 2_000 + "a", {})
@example("-" * 8_000 + "1", {})
@example("a IN (" * 1_300, {})
@example("CONCAT(" * 1_100, {})
@example("1" + "+1" * 4_000, {})
@example("a" + " OR a AND a" * 700, {})
@example("a" + " LIKE 'a'" * 800, {})
@example("'" + "\\'" * 4_000, {})
@example("9" * 8_000, {})
def test_a_text_is_an_expression_or_a_parse_error(text: str, event: dict[str, Any]) -> None:
    found = attempt(text)
    if isinstance(found, ParseError):
        assert 0 <= found.position <= len(text)
        assert found.message
        shown, caret = found.caret.split("\n")
        assert caret.strip() == "^"
        assert len(caret) <= len(shown) + 1
    else:
        assert found.matches(event) is found.explain(event).matched
        assert isinstance(found.warnings, tuple)


@MANY
@given(trees)
def test_what_is_written_is_read_the_same(tree: Node) -> None:
    text = write(tree)
    expression = parse(text, limits=Limits(depth=200))
    assert expression._root == tree
    assert str(expression) == text


@MANY
@given(trees, attributes)
def test_an_evaluation_ends_with_a_value_of_its_type_and_changes_nothing(
    tree: Node, event: dict[str, Any]
) -> None:
    before = deepcopy(event)
    expression = parse(write(tree), limits=Limits(depth=200))
    result = expression.evaluate(event)
    assert expression.evaluate(event) == result
    assert event == before
    assert list(event) == list(before)
    assert type(result.value) in {str, int, bool}
    assert primitive(result.value) == result.value
    if expression.type is not None:
        assert {"String": str, "Integer": int, "Boolean": bool}[expression.type] is type(result.value)


@MANY
@given(trees | filters, attributes)
def test_what_is_compiled_does_what_the_interpreter_does(tree: Node, event: dict[str, Any]) -> None:
    value, folded = valued(tree, event), fold(tree)
    compiled = compile_value(folded)(event)
    assert (type(compiled), compiled) == (type(value), value)
    assert compile_match(folded)(event) is (value is True)
    assert valued(folded, event) == value


@MANY
@given(trees, attributes)
def test_an_explanation_agrees_and_points_at_what_it_is_about(tree: Node, event: dict[str, Any]) -> None:
    text = write(tree)
    expression = parse(text, limits=Limits(depth=200))
    told, result = expression.explain(event), expression.evaluate(event)
    assert told.matched is expression.matches(event) is (result.error is None and result.value is True)
    assert told.error == result.error
    assert told.clause == text[told.start : told.end]
    if told.error is not None:
        assert told.start <= told.error.start < told.error.end <= told.end
    # The part that is pointed at is enough: alone, it does not match either.
    if not told.matched and told.clause:
        assert parse(told.clause, limits=Limits(depth=200)).matches(event) is False


@MANY
@given(trees, trees, attributes)
def test_the_first_error_ends_the_evaluation(left: Node, right: Node, event: dict[str, Any]) -> None:
    try:
        value = evaluate(left, event)
    except Fault as fault:
        first = (fault.kind, fault.message)
    else:
        value = CASTS[bool](value)
        first = None
    for operator in ("AND", "OR", "XOR"):
        whole = parse(f"({write(left)}) {operator} ({write(right)})", limits=Limits(depth=200)).evaluate(
            event
        )
        if first is not None:
            assert whole.error is not None
            assert (whole.error.kind, whole.error.message) == first
            assert whole.value is False
        elif value is (operator == "OR") and operator != "XOR":
            assert whole.error is None
            assert whole.value is value


@settings(max_examples=500)
@given(filters | trees, attributes)
def test_what_is_required_holds_whenever_it_matches(tree: Node, event: dict[str, Any]) -> None:
    requirement = required(fold(tree))
    holds = all(condition.holds(event.get(condition.attribute)) for condition in requirement.conditions)
    for condition in requirement.terms:
        value = condition.term.value(event)
        holds = holds and condition.holds(value)
        assert (value is not None and not condition.holds(value)) is condition.opposite().holds(value)
    matches = valued(tree, event) is True
    assert holds or not matches
    if requirement.complete:
        assert holds is matches
    read = {condition.attribute for condition in requirement.conditions}
    assert (
        read.union(*(found.term.attributes for found in requirement.terms)) <= parse(write(tree)).attributes
    )


@given(st.sampled_from([str, int, bool]), st.integers(-(2**31), 2**31 - 1) | st.booleans() | st.text())
def test_casts_round_trip(wanted: Any, value: Any) -> None:
    """Through String and back nothing is lost, nor from a Boolean through Integer."""
    assert CASTS[type(value)](CASTS[str](value)) == value  # type: ignore[arg-type]
    if type(value) is bool:
        assert CASTS[bool](CASTS[int](value)) is value  # type: ignore[arg-type]
    cast = CASTS[wanted](value)
    assert cast is None or (type(cast) is wanted and CASTS[wanted](cast) == cast)


@given(st.text(alphabet="+-0123456789 _٣²a", max_size=13))
def test_integers_are_read_as_a_pattern_says(text: str) -> None:
    import re

    value = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
    expected = value if value is not None and -(2**31) <= value < 2**31 else None
    assert CASTS[int](text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "CONCAT(" + ", ".join(["subject"] * 600) + ") = 'a'",
        " OR ".join(["subject LIKE '%b_b_b%'"] * 150),
        "subject LIKE '" + "%a" * 3_000 + "%b'",
        "subject LIKE '%" + "a_" * 500 + "b%'",
        " OR ".join(["LOWER(subject) = 'x'"] * 300),
        " OR ".join(["subject LIKE '%aaaaaaaab%'"] * 250),
    ],
    ids=lambda text: text[:24],
)
def test_nothing_takes_long(text: str) -> None:
    expression = parse(text)
    for size in (65_536, 65_537, 1_000_000):
        began = time.process_time()
        assert expression.matches({"subject": "a" * size}) is False
        assert time.process_time() - began < 2


def test_explain_is_what_the_expression_offers() -> None:
    expression = parse("type = 'a'")
    assert explain(expression.text, expression._root, {"type": "b"}) == expression.explain({"type": "b"})
