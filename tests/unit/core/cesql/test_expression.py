"""What an expression tells of itself: where a text is wrong, why an event does not match, what an index may use."""

from typing import Any

import pytest

from shared.core.cesql import BUILTINS, Expression, Function, Functions, Limits, ParseError, Term, parse

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "order",
    "subject": "a-7",
    "n": "5",
    "count": 7,
    "flag": True,
}


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "is empty"),
        (" \n ", 3, "is empty"),
        ("type = ", 7, "ends where a value should follow"),
        ("type == 'a'", 6, "one ="),
        ("type = 'a", 7, "no closing '"),
        ("'it''s' = a", 4, "not twice"),
        ("(type = 'a'", 0, "never closed"),
        ("LENGTH(type", 6, "never closed"),
        ("type = 'a')", 10, "closes nothing"),
        ("(type 'a')", 6, "expected )"),
        ("type 'a'", 5, "expected an operator"),
        ("type LIKE subject", 10, "pattern in quotes"),
        ("type LIKE 5", 10, "pattern in quotes"),
        ("type LIKE ('a')", 10, "pattern in quotes"),
        ("type IN 'a'", 8, "in parentheses"),
        ("type IN ()", 9, "at least one value"),
        ("type IN ('a',)", 13, "missing before this )"),
        ("EXISTS (subject)", 7, "without parentheses"),
        ("EXISTS 'subject'", 7, "without parentheses"),
        ("EXISTS", 6, "without parentheses"),
        ("AND type", 0, "missing before AND"),
        ("type = 'a' AND AND n", 15, "missing before AND"),
        ("type = * 5", 7, "missing before *"),
        ("5 + + 5", 4, "right before a number"),
        ("n NOT 5", 2, "expected an operator"),
        ("data.order = 1", 4, "names"),
        ("1.5 = n", 1, "whole"),
        ("type = 'a' & n = 5", 11, "no part of CESQL"),
        ("!flag", 0, "NOT"),
        ("my_ext = 1", 0, "letters and digits"),
        ("EXISTS my_ext", 7, "letters and digits"),
        ("F1(2)", 0, "no function"),
        ("_F(2)", 0, "no function"),
        ("n = 2147483648", 4, "between -2147483648 and 2147483647"),
        ("n = -2147483649", 4, "between"),
        ("n = - 2147483648", 6, "between"),
    ],
)
def test_a_parse_error_says_where_and_what_to_write(text: str, position: int, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.position == position
    assert says.replace("names", "a name has only") in caught.value.message
    assert str(caught.value) == f"{caught.value.message} (at character {position + 1})"
    assert caught.value.kind == "parse"


def test_a_caret_stands_under_the_character() -> None:
    with pytest.raises(ParseError) as caught:
        parse("type = 'a' AND\n\tsubject LIKE subject\nAND n = 5")
    assert caught.value.caret == " subject LIKE subject\n              ^"
    with pytest.raises(ParseError) as caught:
        parse("n = 5 AND " * 30 + "]" + " AND n = 5" * 30)
    shown, caret = caught.value.caret.split("\n")
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert shown[caret.index("^")] == "]"


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("type = 'a'", Limits(length=9)),
        ("((n))", Limits(depth=2)),
        ("NOT NOT NOT flag", Limits(depth=2)),
        ("n = (n = (n = 5))", Limits(depth=3)),
        ("n + n + n + n = 5", Limits(depth=3)),
        ("ABS(ABS(ABS(n)))", Limits(depth=3)),
        ("n = 1 OR n = 2", Limits(nodes=6)),
        ("n LIKE '%ab_%' OR n LIKE '%_%'", Limits(searched=3)),
    ],
)
def test_limits(text: str, limits: Limits) -> None:
    assert isinstance(parse(text), Expression)
    with pytest.raises(ParseError, match=r"more than|at most"):
        parse(text, limits=limits)


def test_a_chain_is_one_level() -> None:
    text = " OR ".join(f"n = {n}" for n in range(500))
    assert parse(text).matches({"n": "499"})


def test_a_value_too_long_to_work_on_is_an_error() -> None:
    long = {"subject": "a" * 65_537}
    for text in ("subject LIKE '%b%'", "UPPER(subject) = ''", "CONCAT(subject) = ''"):
        result = parse(text).evaluate(long)
        assert result.error is not None
        assert result.error.kind == "generic"
        assert not parse(text).matches(long)
    assert parse("subject LIKE 'a%' AND subject != 'b'").matches(long)
    grown = parse("CONCAT(subject, subject) = ''").evaluate({"subject": "a" * 40_000})
    assert grown.error is not None
    assert grown.error.kind == "generic"
    spread = "CONCAT_WS(subject, '', '', '', '') = ''"
    assert (
        parse(spread).evaluate({"subject": "a" * 40_000}).error
        == parse(spread).explain({"subject": "a" * 40_000}).error
    )


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("type = 'a'", {"type"}),
        ("EXISTS Subject AND LENGTH(data) > n", {"subject", "data", "n"}),
        ("TRUE", set()),
        ("EXISTS id", {"id"}),
    ],
)
def test_attributes(text: str, attributes: set[str]) -> None:
    assert parse(text).attributes == attributes


@pytest.mark.parametrize(
    ("text", "clause", "message", "values"),
    [
        ("type = 'a'", "type = 'a'", "type = 'a' is false: type is 'order'", {"type": "order"}),
        ("flag AND (n = 5 AND count > 9)", "count > 9", "count > 9 is false: count is 7", {"count": 7}),
        (
            "type = 'a' OR subject = 'b'",
            "type = 'a' OR subject = 'b'",
            "type = 'a' OR subject = 'b' is false: type is 'order'; subject is 'a-7'",
            {"type": "order", "subject": "a-7"},
        ),
        ("EXISTS other", "EXISTS other", "EXISTS other is false: other is missing", {"other": None}),
        ("flag AND NOT (n = 5)", "NOT (n = 5)", "NOT (n = 5) is false: n is '5'", {"n": "5"}),
        ("flag XOR flag", "flag XOR flag", "flag XOR flag is false: flag is true", {"flag": True}),
        ("LENGTH(n)", "LENGTH(n)", "LENGTH(n) is the Integer 1, and no Boolean: n is '5'", {"n": "5"}),
        ("n", "n", "n is the String '5', and no Boolean", {"n": "5"}),
        ("FALSE", "FALSE", "FALSE is false", {}),
    ],
)
def test_why_an_event_does_not_match(text: str, clause: str, message: str, values: dict[str, Any]) -> None:
    told = parse(text).explain(EVENT)
    assert (told.matched, told.clause, told.message, told.values) == (False, clause, message, values)
    assert told.error is None
    assert text[told.start : told.end] == clause


@pytest.mark.parametrize(
    ("text", "clause", "kind", "message"),
    [
        (
            "flag AND other = 'a'",
            "other = 'a'",
            "missingAttribute",
            "other = 'a': the event has no attribute other",
        ),
        (
            "n = 4 OR other = 'a'",
            "other = 'a'",
            "missingAttribute",
            "other = 'a': the event has no attribute other",
        ),
        ("flag AND type < 5", "type < 5", "cast", "type < 5: 'order' is no Integer (type is 'order')"),
        ("n / 0 = 1", "n / 0 = 1", "math", "n / 0 = 1: division by 0 (n is '5')"),
        (
            "n * 2000000000 = 1",
            "n * 2000000000 = 1",
            "math",
            "n * 2000000000 = 1: the result has more than 32 bits (n is '5')",
        ),
        (
            "NOPE(n)",
            "NOPE(n)",
            "missingFunction",
            "NOPE(n): there is no function NOPE of 1 argument (n is '5')",
        ),
    ],
)
def test_which_error_ended_an_evaluation(text: str, clause: str, kind: str, message: str) -> None:
    told = parse(text).explain(EVENT)
    assert (told.matched, told.clause, told.message) == (False, clause, message)
    assert told.error is not None
    assert told.error.kind == kind


def test_what_matches_is_told_too() -> None:
    told = parse("flag AND n = 5").explain(EVENT)
    assert told.matched
    assert told.clause == "flag AND n = 5"
    assert told.values == {"flag": True, "n": "5"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("type = 'a' AND n = 5", []),
        ("type = 'a' OR type = 'b' AND n = 5", ["mixedLogic"]),
        ("(type = 'a' OR type = 'b') AND n = 5", []),
        ("NOT type = 'a'", ["looseNot"]),
        ("NOT type LIKE 'a'", ["looseNot"]),
        ("NOT flag IN (TRUE)", ["looseNot"]),
        ("NOT (type = 'a') AND NOT EXISTS n", []),
        ("in = 5", ["keywordName"]),
        ("EXISTS in", []),
        ("NOPE(n) OR LENGTH() = 1", ["unknownFunction", "unknownFunction"]),
        ("time > '2026-01-01'", ["alwaysFails"]),
        ("n / 0 = 1 OR 1 / 0 = n", ["alwaysFails"]),
        ("'abc' = 5", ["alwaysFails"]),
        ("flag AND NOT 'abc'", ["alwaysFails"]),
        ("1 = 2", ["constant"]),
        ("EXISTS id", ["constant"]),
        ("LENGTH(type)", ["notBoolean"]),
        ("'true'", ["notBoolean"]),
        ("flag", ["bareAttribute"]),
        ("flag = TRUE", []),
    ],
)
def test_warnings(text: str, codes: list[str]) -> None:
    found = parse(text).warnings
    assert [warning.code for warning in found] == codes
    for warning in found:
        assert text[warning.start : warning.end].strip()
        assert warning.message


def test_a_warning_says_how_the_text_is_read() -> None:
    (mixed,) = parse("a = 1 OR b = 2 AND c = 3").warnings
    assert "(a = 1 OR b = 2) AND" in mixed.message
    assert str(parse("a = 1 OR b = 2 AND c = 3")) == "(a = 1 OR b = 2) AND c = 3"
    (unknown,) = parse("length_(n) = 1").warnings
    assert "LENGTH" in unknown.message


@pytest.mark.parametrize(
    ("text", "conditions", "complete"),
    [
        ("type = 'a'", [("type", "exact", {"a"})], True),
        ("TYPE = CONCAT('a', 'b')", [("type", "exact", {"ab"})], True),
        ("'a' = type", [("type", "exact", {"a"})], True),
        ("'05' = n", [("n", "exact", {"05", "5"})], False),
        ("n = 5", [], True),
        ("type IN ('a', 'b')", [("type", "exact", {"a", "b"})], True),
        ("type IN ('a', '5')", [("type", "exact", {"a", "5"})], False),
        ("n IN (5)", [("n", "exact", {"5", "true"})], False),
        ("type NOT IN ('a')", [], False),  # what 'a' is cast to is the event's business
        ("type LIKE 'a%'", [("type", "prefix", {"a"})], True),
        ("type LIKE '%a'", [("type", "suffix", {"a"})], True),
        ("type LIKE 'a'", [("type", "exact", {"a"})], True),
        ("type LIKE '%'", [("type", "prefix", {""})], True),
        ("type LIKE '\\%%'", [("type", "prefix", {"%"})], True),
        ("type LIKE 'ab_d%ef_'", [("type", "prefix", {"ab"})], False),
        ("type LIKE 'a%b'", [("type", "prefix", {"a"}), ("type", "suffix", {"b"})], False),
        ("type LIKE '%a%'", [("type", "prefix", {""})], False),
        ("type LIKE 'a_c'", [("type", "prefix", {"a"}), ("type", "suffix", {"c"})], False),
        ("type NOT LIKE 'a%'", [], True),
        ("EXISTS n", [("n", "prefix", {""})], True),
        ("EXISTS id", [], False),
        ("type = 'a' AND n LIKE '5%'", [("type", "exact", {"a"}), ("n", "prefix", {"5"})], True),
        ("type = 'a' AND n > 5", [("type", "exact", {"a"})], True),
        ("type = 'a' OR type = 'b' OR type IN ('c')", [("type", "exact", {"a", "b", "c"})], True),
        ("(type = 'a' AND n = 'x') OR (type = 'b' AND n > 5)", [("type", "exact", {"a", "b"})], False),
        ("type = 'a' OR n = 'b'", [], False),
        ("type = 'a' OR type > 5", [], False),
        ("'a' = type OR type = '5'", [("type", "exact", {"a", "5"})], False),
        ("NOT (type = 'a')", [], True),
        ("type = 'a' XOR type = 'b'", [], False),
        ("flag", [], False),
        ("TRUE", [], False),
    ],
)
def test_what_an_index_may_use(text: str, conditions: list[Any], complete: bool) -> None:
    found = parse(text).required()
    assert [(c.attribute, c.kind, c.values) for c in found.conditions] == conditions
    assert found.complete is complete


@pytest.mark.parametrize(
    ("text", "terms", "complete"),
    [
        ("LENGTH(subject) > 5", [(">", {5}, False)], True),
        ("'5' < LENGTH(subject)", [(">", {5}, False)], True),
        ("LENGTH(subject) > 'a'", [], False),
        ("NOT (LENGTH(subject) > 5)", [("<=", {5}, False)], True),
        ("UPPER(subject) = 'A'", [("exact", {"A"}, False)], True),
        ("UPPER(subject) != 'A'", [("exact", {"A"}, True)], True),
        ("NOT (UPPER(subject) IN ('A', 'B'))", [("exact", {"A", "B"}, True)], True),
        ("LENGTH(subject) IN (1, '2')", [("exact", {1, 2}, False)], True),
        ("LENGTH(subject) IN (1, 'a')", [], False),
        ("UPPER(subject) LIKE 'A%'", [("prefix", {"A"}, False)], True),
        ("UPPER(subject) NOT LIKE '%A'", [("suffix", {"A"}, True)], True),
        ("UPPER(subject) LIKE 'A'", [("exact", {"A"}, False)], True),
        ("UPPER(subject) LIKE 'A%B'", [], False),
        ("UPPER(subject) = 'A' OR upper(SUBJECT) = 'B'", [("exact", {"A", "B"}, False)], True),
        ("UPPER(subject) = 'A' OR LOWER(subject) = 'b'", [], False),
        ("n > 5 OR n < 2", [], False),
        ("n > 1 AND n % 2 = 0", [(">", {1}, False), ("exact", {0}, False)], True),
        ("n > 1 AND n > m", [(">", {1}, False)], False),
        ("n = TRUE", [("exact", {True}, False)], True),
    ],
)
def test_what_an_index_may_use_of_terms(text: str, terms: list[Any], complete: bool) -> None:
    found = parse(text).required()
    assert [(c.kind, c.values, c.negated) for c in found.terms] == terms
    assert found.complete is complete
    assert found.conditions == ()


def test_terms_that_say_the_same_are_equal() -> None:
    def term(text: str, functions: Functions = BUILTINS) -> Term:
        return parse(text, functions).required().terms[0].term

    assert term("length( subject ) > 1") == term("7 >= LENGTH(Subject)")
    assert hash(term("n > 1")) == hash(term("(n) < 5"))
    assert term("n > 1") != term("n != 'a'")  # an Integer and a String
    assert term("CONCAT(n, 'a') = 'b'") != term("CONCAT(n, 'A') = 'b'")
    assert term("CONCAT(n, '1') = 'b'") != term("CONCAT(n, 1) = 'b'")
    one = BUILTINS.extended(Function("TWICE", (int,), int, lambda n: n * 2))
    other = BUILTINS.extended(Function("TWICE", (int,), int, lambda n: n + n))
    assert term("TWICE(n) > 1", one) == term("TWICE(n) > 3", one)
    assert term("TWICE(n) > 1", one) != term("TWICE(n) > 1", other)
    assert term("LENGTH(subject) > 1").attributes == {"subject"}
    assert term("LENGTH(subject) > 1").value({"subject": "abc"}) == 3
    assert term("LENGTH(subject) > 1").value({}) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("type='a' and not exists n", "type = 'a' AND NOT EXISTS n"),
        ("((n)) <> - 5", "n != - 5"),
        ("n - -5 = -n", "n - -5 = -n"),
        ("(1 + n) * 2 = 1 + n * 2", "(1 + n) * 2 = 1 + n * 2"),
        ("n - (n - 1) = 1", "n - (n - 1) = 1"),
        ('type = "it\'s"', "type = 'it\\'s'"),
        ('type = "\\\'"', 'type = "\\\'"'),
        ("length ( type ) in (1,2)", "LENGTH(type) IN (1, 2)"),
        ("type = (in)", "type = (in)"),
    ],
)
def test_writing(text: str, written: str) -> None:
    assert str(parse(text)) == written
    assert repr(parse(text)) == f"Expression({text!r})"
