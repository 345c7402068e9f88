"""CESQL 1.0: the published cases, and the lines of the specification one by one."""

import ast
import os
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.core import cesql
from shared.core.cesql import (
    BUILTINS,
    Function,
    FunctionError,
    Functions,
    Kind,
    OverloadError,
    ParseError,
    parse,
)
from tests.contract import vectors

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "order",
    "subject": "s",
    "time": "2026-11-27T10:00:00Z",
    "n": 5,
    "flag": True,
    "text": "Ab",
}
CASES = (
    [(name, case) for name, cases in vectors.cesql_cases().items() for case in cases]
    if vectors.present()
    else []
)


def outcome(
    text: str, event: dict[str, Any] = EVENT, functions: Functions = BUILTINS
) -> tuple[Any, str | None]:
    """Value and kind of the error; a value of the wrong type is no equal one."""
    try:
        expression = parse(text, functions)
    except ParseError as error:
        return False, error.kind
    result = expression.evaluate(event)
    kind = result.error.kind if result.error else None
    assert expression.matches(event) is (kind is None and result.value is True)
    assert expression.explain(event).matched is expression.matches(event)
    return result.value, kind


def agrees(text: str, value: Any, kind: str | None = None, **options: Any) -> None:
    found = outcome(text, **options)
    assert (type(found[0]), *found) == (type(value), value, kind), text


def test_the_cases_are_all_there() -> None:
    if not vectors.present():
        if os.environ.get("CI") == "true":
            pytest.fail(vectors.MISSING)
        pytest.skip(vectors.MISSING)
    assert len(CASES) == 275


@pytest.mark.spec("Q38", "S20")
@pytest.mark.parametrize(("file", "case"), [pytest.param(f, c, id=f"{f}: {c['name']}") for f, c in CASES])
def test_published_case(file: str, case: dict[str, Any]) -> None:
    assert vectors.cesql_passes(file, case)


@pytest.mark.spec("Q34", "Q35")
def test_not_10_follows_the_specification_and_not_its_case() -> None:
    """Section 3.7 casts every Integer to Boolean, and so do other published cases: `BOOL(100)`."""
    agrees("NOT 10", value=False)
    agrees("BOOL(100)", value=True)


@pytest.mark.spec("Q01")
def test_evaluation_changes_nothing_and_imports_nothing_that_could() -> None:
    event = dict(EVENT)
    for _ in range(2):
        agrees("CONCAT(text, n, flag) = 'Ab5true' AND LENGTH(text) = 2", value=True, event=event)
    assert event == EVENT
    imported: set[str] = set()
    for path in Path(cesql.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(str(node.module))
    assert imported == {"collections.abc", "dataclasses", "operator", "re", "typing"}


@pytest.mark.spec("Q02")
def test_the_output_is_a_value_and_errors() -> None:
    agrees("flag", value=True)
    agrees("n + 1", 6)
    agrees("text", "Ab")
    agrees("n / 0", 0, "math")


@pytest.mark.spec("Q03", "S20")
@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("flag", True),
        ("n = 5", True),
        ("n = 6", False),
        ("n", False),
        ("'true'", False),
        ("text", False),
        ("1", False),
        ("missing = 'a'", False),
        ("flag OR missing = 'a'", True),
        ("missing = 'a' OR flag", False),
        ("NOT (1 / 0 = 1)", False),
        ("NOPE() OR flag", False),
    ],
)
def test_an_event_passes_only_after_true_without_error(text: str, passes: bool) -> None:
    assert parse(text).matches(EVENT) is passes


@pytest.mark.spec("Q04")
def test_keywords_and_functions_in_any_case() -> None:
    for text in (
        "n in (5) and not false",
        "N IN (5) AND NOT FALSE",
        "n iN (5) aNd NoT fAlSe",
        "exists N and TEXT like 'A%' or true xor FALSE",
        "length(text) = LENGTH(TEXT)",
    ):
        agrees(text, value=True)
    agrees("text = 'ab'", value=False)


@pytest.mark.spec("Q05")
def test_names_of_attributes_are_letters_and_digits() -> None:
    event = EVENT | {"1a": "x", "a1": "y", "a" * 25: "z"}
    agrees("1a = 'x' AND A1 = 'y'", value=True, event=event)
    agrees(f"{'a' * 25} = 'z'", value=True, event=event)
    for text in ("a_b = 1", "a.b = 1", "é = 1", "a²"):
        agrees(text, value=False, kind="parse")
    agrees("EXISTS SOURCE AND EXISTS Id", value=True)


@pytest.mark.spec("Q06")
def test_integer_literals_have_32_bits() -> None:
    agrees("-2147483648", -(2**31))
    agrees("+2147483647", 2**31 - 1)
    agrees("007", 7)
    agrees("n -1", 4)
    agrees("n-1", 4)
    agrees("n - -1", 6)
    agrees("n+1", 6)
    for text in ("2147483648", "-2147483649", "- 2147483648", "9" * 5_000, "1.5", "+ 5", "٣"):
        agrees(text, value=False, kind="parse")


@pytest.mark.spec("Q07")
def test_string_literals() -> None:
    agrees("'a'", "a")
    agrees('"a"', "a")
    agrees("''", "")
    agrees(r"'it\'s \"'", "it's \\\"")
    agrees(r'"a\"b\'"', "a\"b\\'")
    agrees(r"'a\nb\\'", "a\\nb\\\\")
    agrees("'a\nb'", "a\nb")
    for text in ("'a", "'a\"", r"'a\'", "'it''s'"):
        agrees(text, value=False, kind="parse")


@pytest.mark.spec("Q08")
def test_parentheses_are_balanced() -> None:
    agrees("((n)) = (5)", value=True)
    for text in ("(n", "n)", "((n)", "ABS(n", "n IN (5", "()", ")("):
        agrees(text, value=False, kind="parse")


@pytest.mark.spec("Q09")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NOT flag", False),
        ("-n", -5),
        ("n = 5", True),
        ("n != 5", False),
        ("n <> 5", False),
        ("n < 6", True),
        ("n <= 5", True),
        ("n > 5", False),
        ("n >= 5", True),
        ("n + 2", 7),
        ("n - 2", 3),
        ("n * 2", 10),
        ("n / 2", 2),
        ("n % 2", 1),
        ("flag AND TRUE", True),
        ("flag OR FALSE", True),
        ("flag XOR TRUE", False),
        ("text LIKE 'A_'", True),
        ("text NOT LIKE 'A_'", False),
        ("n IN (4, 5)", True),
        ("n NOT IN (4, 5)", False),
        ("EXISTS text", True),
    ],
)
def test_operators(text: str, value: Any) -> None:
    agrees(text, value)


@pytest.mark.spec("Q10")
def test_in_has_an_element() -> None:
    agrees("n IN (5)", value=True)
    for text in ("n IN ()", "n NOT IN ()", "n IN 5", "n IN (5,)"):
        agrees(text, value=False, kind="parse")


@pytest.mark.spec("Q11")
def test_names_of_functions() -> None:
    functions = BUILTINS.extended(Function("my_F_", (), int, lambda: 7))
    for text in ("my_F_()", "MY_f_ ( )"):
        agrees(text, 7, functions=functions)
    for text in ("_f()", "f1()", "1f()", "my.f()"):
        agrees(text, value=False, kind="parse", functions=functions)


@pytest.mark.spec("Q12")
def test_every_attribute_can_be_named_and_data_is_none() -> None:
    for name in EVENT:
        agrees(f"{name} = {name}", value=True)
    for name in ("and", "or", "xor", "not", "like", "exists", "in"):
        event = EVENT | {name: "x"}
        agrees(f"{name} = 'x' AND 'x' = ({name}) AND EXISTS {name}", value=True, event=event)
    agrees("EXISTS true AND NOT EXISTS false", value=True, event=EVENT | {"true": "x"})
    agrees("source = '/shop' AND time LIKE '2026-%'", value=True)
    # What is none of the three types appears as a String.
    agrees("big", str(2**31), event=EVENT | {"big": 2**31})
    agrees("data = 'x'", value=False, kind="missingAttribute")
    assert parse("type = 'a' AND data = 'x'").attributes == {"type", "data"}


@pytest.mark.spec("Q13")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("missing", False),
        ("(missing)", False),
        ("missing + 1", 0),
        ("1 / missing", 0),
        ("missing % 0", 0),
        ("-missing", 0),
        ("NOT missing", False),
        ("missing = ''", False),
        ("missing != ''", False),
        ("missing < 1", False),
        ("missing LIKE '%'", False),
        ("missing NOT LIKE 'a'", False),
        ("missing IN ('a')", False),
        ("'a' NOT IN (missing)", False),
        ("missing AND TRUE", False),
        ("TRUE XOR missing", False),
        ("UPPER(missing)", ""),
        ("LENGTH(missing)", 0),
        ("BOOL(missing)", False),
    ],
)
def test_a_missing_attribute_gives_the_zero_value_of_the_expression(text: str, value: Any) -> None:
    agrees(text, value, "missingAttribute")


@pytest.mark.spec("Q14")
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n =", "parse"),
        ("n / 0", "math"),
        ("text + 1", "cast"),
        ("missing", "missingAttribute"),
        ("NOPE()", "missingFunction"),
        ("LEFT(text, -1)", "functionEvaluation"),
        ("UPPER(long)", "generic"),
    ],
)
def test_every_kind_of_error_arises(text: str, kind: str) -> None:
    assert outcome(text, EVENT | {"long": "a" * 100_000})[1] == kind


@pytest.mark.spec("Q14")
def test_there_are_no_other_kinds() -> None:
    expected = {
        "parse",
        "math",
        "cast",
        "missingAttribute",
        "missingFunction",
        "functionEvaluation",
        "generic",
    }
    assert set(get_args(Kind)) == expected


@pytest.mark.spec("Q15")
@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("n / 0", 0, "math"),
        ("n % 0", 0, "math"),
        ("2147483647 + n", 0, "math"),
        ("n * -2147483648", 0, "math"),
        ("-2147483648 - n", 0, "math"),
        ("-2147483648 / -1", 0, "math"),
        ("-(-2147483648)", 0, "math"),
        ("ABS(-2147483648)", 2**31 - 1, "math"),
        ("LEFT('abc', -1)", "abc", "functionEvaluation"),
        ("(LEFT('abc', -1))", "abc", "functionEvaluation"),
        ("text + 1", 0, "cast"),
        ("text AND TRUE", False, "cast"),
        ("text = 5", False, "cast"),
        # Fail-fast: what failed is a part, and the whole has the zero value of its type.
        ("LENGTH(LEFT('abc', -1))", 0, "functionEvaluation"),
        ("UPPER(LEFT('abc', -1))", "", "functionEvaluation"),
        ("1 + ABS(-2147483648)", 0, "math"),
        ("NOT (n / 0 = 1)", False, "math"),
    ],
)
def test_an_error_has_a_value(text: str, value: Any, kind: str) -> None:
    agrees(text, value, kind)


@pytest.mark.spec("Q16", "S20")
def test_errors_are_found_before_any_event() -> None:
    for text in ("n =", "text LIKE n", "9999999999 = n", "EXISTS 'a'"):
        with pytest.raises(ParseError):
            parse(text)
    for text in ("n = 1 / 0", "time > '2026-11-27'", "flag AND 'yes'", "n + 'x' = 1", "ABS('x') = n"):
        assert [warning.code for warning in parse(text).warnings] == ["alwaysFails"]
    assert [warning.code for warning in parse("NOPE(n) = 1").warnings] == ["unknownFunction"]
    assert [warning.code for warning in parse("LENGTH(text)").warnings] == ["notBoolean"]


@pytest.mark.spec("Q17")
def test_operands_are_cast() -> None:
    agrees("'7' + TRUE", 8)
    agrees("-'7'", -7)
    agrees("NOT 'false'", value=True)
    agrees("n < '6'", value=True)
    agrees("1 AND 'TRUE'", value=True)
    agrees("n LIKE '5'", value=True)
    agrees("CONCAT(n, flag)", "5true")
    agrees("'x' < 6", value=False, kind="cast")


@pytest.mark.spec("Q18")
@pytest.mark.parametrize(
    ("x", "y", "quotient", "rest"),
    [
        (7, 2, 3, 1),
        (-7, 2, -3, -1),
        (7, -2, -3, 1),
        (-7, -2, 3, -1),
        (0, 5, 0, 0),
        (0, -5, 0, 0),
        (6, 3, 2, 0),
    ],
)
def test_division_rounds_towards_0(x: int, y: int, quotient: int, rest: int) -> None:
    agrees(f"{x} / {y}", quotient)
    agrees(f"{x} % {y}", rest)


@pytest.mark.spec("Q19")
def test_what_compares_with_what() -> None:
    agrees("text = 'Ab'", value=True)
    agrees("text = 'ab'", value=False)
    agrees("text != 'ab' AND text <> 'ab'", value=True)
    agrees("'10' < '9'", value=False)
    agrees("text < 'b'", value=False, kind="cast")
    agrees("TRUE > FALSE", value=True)


@pytest.mark.spec("Q20")
@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("FALSE AND 1 / 0 = 1", False, None),
        ("TRUE OR missing", True, None),
        ("TRUE AND 1 / 0 = 1", False, "math"),
        ("FALSE OR missing", False, "missingAttribute"),
        ("FALSE XOR missing", False, "missingAttribute"),
        ("TRUE XOR missing", False, "missingAttribute"),
        ("FALSE AND NOPE() OR TRUE", True, None),
        ("TRUE OR missing AND FALSE", False, None),
        ("missing OR TRUE", False, "missingAttribute"),
        ("missing AND FALSE", False, "missingAttribute"),
    ],
)
def test_and_and_or_stop_early(text: str, value: bool, kind: str | None) -> None:
    agrees(text, value, kind)


@pytest.mark.spec("Q21")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'abc' LIKE 'a%'", True),
        ("'ABC' LIKE 'a%'", False),
        ("'abc' LIKE '_b%'", True),
        ("'b' LIKE '_b%'", False),
        ("'' LIKE '%'", True),
        ("'a%' LIKE 'a\\%'", True),
        ("'ab' LIKE 'a\\%'", False),
        ("'a_' LIKE 'a\\_'", True),
        ("'a.c' LIKE 'a.c' AND 'abc' NOT LIKE 'a.c'", True),
        ("n LIKE '5' AND flag LIKE 'tr_e'", True),
    ],
)
def test_like(text: str, value: bool) -> None:
    agrees(text, value)
    for wrong in (
        "text LIKE 5",
        "text LIKE text",
        "text LIKE ('a')",
        "text LIKE TRUE",
        "text LIKE CONCAT('a')",
    ):
        agrees(wrong, value=False, kind="parse")


@pytest.mark.spec("Q22")
def test_exists() -> None:
    for name in ("id", "source", "type", "specversion"):
        agrees(f"EXISTS {name}", value=True, event={})
    agrees("EXISTS subject", value=True)
    agrees("EXISTS missing", value=False)
    agrees("NOT EXISTS missing", value=True)


@pytest.mark.spec("Q23")
@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("n IN ('5')", True, None),
        ("'5' IN (n)", True, None),
        ("'true' IN (flag)", True, None),
        ("flag IN ('TRUE')", True, None),
        ("'TRUE' IN (flag)", False, None),
        ("n IN (missing)", False, "missingAttribute"),
        ("n IN ('x', 5)", False, "cast"),
        ("n IN (5, 'x')", True, None),
        ("n NOT IN (1, 2)", True, None),
        ("n NOT IN ('x')", False, "cast"),
    ],
)
def test_in_compares_as_equality_with_the_type_of_the_left(text: str, value: bool, kind: str | None) -> None:
    agrees(text, value, kind)


def _f(arity: int, variadic: bool = False) -> Function:
    return Function(
        "ABC", (str,) * arity, int, lambda *texts: 10 * arity + len(texts), str if variadic else None
    )


@pytest.mark.spec("Q24", "Q32")
def test_overloads() -> None:
    functions = BUILTINS.extended(_f(1), _f(2), _f(3, variadic=True))
    for count, value in ((1, 11), (2, 22), (3, 33), (4, 34)):
        agrees(f"abc({', '.join(['n'] * count)})", value, functions=functions)
    for wrong in (
        (_f(0, variadic=True), _f(3)),
        (_f(1), _f(1)),
        (_f(3, variadic=True), _f(4, variadic=True)),
    ):
        with pytest.raises(OverloadError):
            Functions(wrong)


@pytest.mark.spec("Q25")
def test_a_call_without_function_is_false_and_an_error() -> None:
    for text in ("NOPE()", "NOPE(n)", "LENGTH()", "LENGTH(n, n)", "CONCAT_WS()", "ABS(1, 2)", "NOPE(1 / 0)"):
        agrees(text, value=False, kind="missingFunction")


@pytest.mark.spec("Q26")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LENGTH('abc')", 3),
        ("CONCAT('a', 5, TRUE)", "a5true"),
        ("CONCAT()", ""),
        ("CONCAT_WS('-', 'a', 'b')", "a-b"),
        ("CONCAT_WS('-')", ""),
        ("LOWER('AbÄ')", "abä"),
        ("UPPER('aBä')", "ABÄ"),
        ("TRIM(' a b ')", "a b"),
        ("LEFT('abc', 2)", "ab"),
        ("RIGHT('abc', 2)", "bc"),
        ("RIGHT('abc', 0)", ""),
        ("SUBSTRING('abcdef', 3)", "cdef"),
        ("SUBSTRING('abcdef', 3, 2)", "cd"),
        ("SUBSTRING('abcdef', 3, 0)", ""),
        ("SUBSTRING('abcdef', -2, 9)", "ef"),
        ("ABS(-5)", 5),
    ],
)
def test_functions_of_the_standard(text: str, value: Any) -> None:
    agrees(text, value)


@pytest.mark.spec("Q27")
def test_positions_count_characters_from_1() -> None:
    event = EVENT | {"wide": "a😀ü"}
    agrees("LENGTH(wide)", 3, event=event)
    agrees("LEFT(wide, 2)", "a😀", event=event)
    agrees("RIGHT(wide, 2)", "😀ü", event=event)
    agrees("SUBSTRING(wide, 2, 1)", "😀", event=event)
    agrees("SUBSTRING(wide, -1)", "ü", event=event)
    agrees("SUBSTRING(wide, -3)", "a😀ü", event=event)
    agrees("SUBSTRING(wide, 0)", "", event=event)
    agrees("SUBSTRING(wide, 3)", "ü", event=event)


@pytest.mark.spec("Q28")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LEFT('abc', -1)", "abc"),
        ("RIGHT('abc', -1)", "abc"),
        ("SUBSTRING('abc', 4)", ""),
        ("SUBSTRING('abc', -4)", ""),
        ("SUBSTRING('', 1)", ""),
        ("SUBSTRING('abc', 4, 1)", ""),
        ("SUBSTRING('abc', 1, -1)", ""),
        ("SUBSTRING('abc', 0, -1)", ""),
    ],
)
def test_positions_outside_are_errors(text: str, value: str) -> None:
    agrees(text, value, "functionEvaluation")


@pytest.mark.spec("Q29")
def test_trim_takes_unicode_white_space_and_no_control_characters() -> None:
    white = [
        *range(0x09, 0x0E),
        0x20,
        0x85,
        0xA0,
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
    ]
    for point in white:
        agrees("TRIM(padded)", "a", event={"padded": f"{chr(point)}a{chr(point)}"})
    for point in (0x00, 0x1C, 0x1D, 0x1E, 0x1F, 0x200B, 0x180E, 0xFEFF):
        padded = f"{chr(point)}a{chr(point)}"
        agrees("TRIM(padded)", padded, event={"padded": padded})


@pytest.mark.spec("Q30")
def test_abs_of_the_smallest_integer() -> None:
    agrees("ABS(-2147483648)", 2**31 - 1, "math")
    agrees("ABS(-2147483647)", 2**31 - 1)


@pytest.mark.spec("Q31")
@pytest.mark.parametrize(("returns", "zero"), [(str, ""), (int, 0), (bool, False)])
def test_a_function_that_fails_without_a_value(returns: Any, zero: Any) -> None:
    def fails() -> Any:
        raise FunctionError("no")

    for call in (fails, lambda: None, lambda: 1 / 0):
        functions = BUILTINS.extended(Function("F", (), returns, call))
        agrees("F()", zero, "functionEvaluation", functions=functions)


@pytest.mark.spec("Q32")
def test_functions_of_ones_own_cast_as_the_specification_shows() -> None:
    functions = BUILTINS.extended(Function("MY_STRING_PREDICATE", (str,), bool, lambda text: text == "15"))
    agrees("MY_STRING_PREDICATE(sequence + 10)", value=True, functions=functions, event={"sequence": "5"})


@pytest.mark.spec("Q33")
@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("NOT flag = FALSE", "(NOT flag) = FALSE"),
        ("NOT flag LIKE 'f%'", "(NOT flag) LIKE 'f%'"),
        ("NOT flag IN (FALSE)", "(NOT flag) IN (FALSE)"),
        ("NOT EXISTS n", "NOT (EXISTS n)"),
        ("- n LIKE '-5'", "(-n) LIKE '-5'"),
        ("NOT -n", "NOT (-n)"),
        ("-NOT n", "-(NOT n)"),
        ("2 * n LIKE '5'", "2 * (n LIKE '5')"),
        ("2 + n IN (5)", "2 + (n IN (5))"),
        ("EXISTS n LIKE 'true'", "(EXISTS n) LIKE 'true'"),
        ("n LIKE '5' IN (TRUE)", "(n LIKE '5') IN (TRUE)"),
        ("-ABS(n) + 1", "(-(ABS(n))) + 1"),
        ("2 + 3 * 4 - 1", "(2 + (3 * 4)) - 1"),
        ("20 / 2 * 5 % 7", "((20 / 2) * 5) % 7"),
        ("10 - 2 - 3", "(10 - 2) - 3"),
        ("1 + 1 = 2", "(1 + 1) = 2"),
        ("3 > 2 = TRUE", "(3 > 2) = TRUE"),
        ("1 = 1 AND 2 = 2", "(1 = 1) AND (2 = 2)"),
        ("TRUE OR FALSE AND FALSE", "(TRUE OR FALSE) AND FALSE"),
        ("TRUE OR TRUE XOR TRUE", "(TRUE OR TRUE) XOR TRUE"),
        ("FALSE AND FALSE OR TRUE", "(FALSE AND FALSE) OR TRUE"),
        ("TRUE XOR TRUE AND FALSE", "(TRUE XOR TRUE) AND FALSE"),
    ],
)
def test_precedence(text: str, same: str) -> None:
    assert parse(text)._root == parse(same)._root


@pytest.mark.spec("Q33")
def test_equal_precedence_is_read_from_the_left() -> None:
    agrees("TRUE OR FALSE AND FALSE", value=False)
    agrees("TRUE OR (FALSE AND FALSE)", value=True)
    agrees("10 - 2 - 3", 5)
    agrees("100 / 10 / 5", 2)
    agrees("NOT flag = FALSE", value=True)
    agrees("2 * n LIKE '5'", 2)


@pytest.mark.spec("Q34", "Q35")
@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("STRING(-5)", "-5", None),
        ("STRING(007)", "7", None),
        ("STRING(TRUE)", "true", None),
        ("STRING(FALSE)", "false", None),
        ("INT('+5')", 5, None),
        ("INT('-5')", -5, None),
        ("INT('005')", 5, None),
        ("INT('00000000000005')", 5, None),
        ("INT('2147483647')", 2**31 - 1, None),
        ("INT('-2147483648')", -(2**31), None),
        ("INT('2147483648')", 0, "cast"),
        ("INT('')", 0, "cast"),
        ("INT('-')", 0, "cast"),
        ("INT('+-5')", 0, "cast"),
        ("INT(' 5')", 0, "cast"),
        ("INT('5_0')", 0, "cast"),
        ("INT('5.0')", 0, "cast"),
        ("INT('0x5')", 0, "cast"),
        ("INT('٣')", 0, "cast"),
        ("INT(TRUE)", 1, None),
        ("INT(FALSE)", 0, None),
        ("BOOL(0)", False, None),
        ("BOOL(-1)", True, None),
        ("BOOL('tRuE')", True, None),
        ("BOOL('FALSE')", False, None),
        ("BOOL('yes')", False, "cast"),
        ("BOOL(' true')", False, "cast"),
        ("BOOL('1')", False, "cast"),
    ],
)
def test_casts(text: str, value: Any, kind: str | None) -> None:
    agrees(text, value, kind)


@pytest.mark.spec("Q36")
@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("TRUE = 'TRUE'", False, None),
        ("TRUE = 'true'", True, None),
        ("'TRUE' = TRUE", True, None),
        ("'05' = 5", True, None),
        ("5 = '05'", False, None),
        ("5 = TRUE", True, None),
        ("TRUE = 5", False, None),
        ("TRUE != 5", True, None),
        ("'x' = 5", False, "cast"),
        ("5 = 'x'", False, None),
        ("n = '5'", True, None),
        ("n = '6'", False, None),
        ("n = '-5'", False, None),
        ("flag = 'true'", True, None),
        ("flag = 'TRUE'", False, None),
        ("NOT (missing = 'a')", False, "missingAttribute"),
        ("text = n", False, "cast"),
        ("n = text", False, None),
        ("n = flag", True, None),
        ("flag = n", False, None),
        ('TRUE = "true" AND FALSE = "false"', True, None),
        ('TRUE = "TRUE" OR FALSE = "FALSE"', False, None),
    ],
)
def test_the_right_operand_decides_what_equality_compares(text: str, value: bool, kind: str | None) -> None:
    agrees(text, value, kind)


@pytest.mark.spec("Q37")
def test_int_bool_and_string() -> None:
    agrees("INT(n)", 5)
    agrees("BOOL(n)", value=True)
    agrees("STRING(n)", "5")
    agrees("IS_INT(n)", value=False, kind="missingFunction")


def test_a_boolean_extension_is_a_text_where_the_event_came_in_headers() -> None:
    """Binary mode has no types: `flag` passes for the Boolean only, `flag = TRUE` for both."""
    for flag in (True, "true"):
        assert parse("flag = TRUE").matches({"flag": flag})
        assert parse("flag").matches({"flag": flag}) is (flag is True)
