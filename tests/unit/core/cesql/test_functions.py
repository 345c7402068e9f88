"""Functions of others: how they are registered, chosen, called and what becomes of their errors."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.cesql import BUILTINS, Function, FunctionError, Functions, OverloadError, parse


def function(arity: int, variadic: bool = False, name: str = "ABC") -> Function:
    return Function(
        name,
        (str,) * arity,
        str,
        lambda *texts: f"{arity}{'+' * variadic}:{len(texts)}",
        str if variadic else None,
    )


def test_overloads_are_told_apart_by_their_number_of_arguments() -> None:
    functions = BUILTINS.extended(function(1), function(2), function(3, variadic=True))
    for count, expected in ((1, "1:1"), (2, "2:2"), (3, "3+:3"), (5, "3+:5")):
        text = f"abc({', '.join(['type'] * count)})"
        assert parse(text, functions).evaluate({"type": "a"}).value == expected
    none = parse("ABC()", functions).evaluate({})
    assert none.error is not None
    assert none.error.kind == "missingFunction"
    assert functions.names() >= {"ABC", "LENGTH"}


@pytest.mark.parametrize(
    "added",
    [
        [function(0, variadic=True), function(3)],
        [function(3), function(0, variadic=True)],
        [function(3), function(3, variadic=True)],
        [function(1), function(1)],
        [function(1), function(1, name="abc")],
        [function(2, variadic=True), function(3, variadic=True)],
        [function(1, name="LENGTH")],
        [function(1, name="CONCAT")],
        [function(2, name="CONCAT_WS")],
    ],
)
def test_functions_that_no_call_could_tell_apart_are_refused(added: list[Function]) -> None:
    with pytest.raises(OverloadError):
        BUILTINS.extended(*added)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=5))
def test_functions_are_accepted_when_no_call_means_two(drawn: list[tuple[int, bool]]) -> None:
    def answers(count: int) -> int:
        return sum(count == arity or (variadic and count > arity) for arity, variadic in drawn)

    clear = all(answers(count) <= 1 for count in range(7))
    try:
        functions = Functions(function(arity, variadic) for arity, variadic in drawn)
    except OverloadError:
        assert not clear
    else:
        assert clear
        assert [functions.find("abc", count) is not None for count in range(7)] == [
            bool(answers(count)) for count in range(7)
        ]


@pytest.mark.parametrize(
    ("name", "types", "returns"), [("A1", (str,), str), ("", (), str), ("A", (float,), str), ("A", (), bytes)]
)
def test_what_is_no_function(name: str, types: Any, returns: Any) -> None:
    with pytest.raises(OverloadError):
        Function(name, types, returns, lambda *_: "")


def test_extending_leaves_the_functions_of_the_standard_alone() -> None:
    BUILTINS.extended(function(1))
    assert "ABC" not in BUILTINS.names()


def failing(result: Any = None, error: Exception | None = None, returns: Any = int) -> Functions:
    def call(*_: Any) -> Any:
        if error is not None:
            raise error
        return result

    return BUILTINS.extended(Function("F", (), returns, call, str))


@pytest.mark.parametrize(
    ("functions", "value", "kind"),
    [
        (failing(error=FunctionError("no", 7)), 7, "functionEvaluation"),
        (failing(error=FunctionError("no")), 0, "functionEvaluation"),
        (failing(error=FunctionError("no", "text")), 0, "functionEvaluation"),
        (failing(error=FunctionError("no", 7, "math")), 7, "math"),
        (failing(error=ZeroDivisionError()), 0, "functionEvaluation"),
        (failing(error=RecursionError(), returns=str), "", "functionEvaluation"),
        (failing("text"), 0, "functionEvaluation"),
        (failing(True), 0, "functionEvaluation"),
        (failing(2**31), 0, "functionEvaluation"),
        (failing(None, returns=bool), False, "functionEvaluation"),
        (failing(1, returns=bool), False, "functionEvaluation"),
    ],
)
def test_a_function_that_fails_has_a_value_all_the_same(functions: Functions, value: Any, kind: str) -> None:
    for text in ("F()", "F(type, n)"):
        result = parse(text, functions).evaluate({"type": "a", "n": 1})
        assert (type(result.value), result.value) == (type(value), value)
        assert result.error is not None
        assert result.error.kind == kind
    assert not parse("F() = F() OR TRUE", functions).matches({})


def test_arguments_are_cast_and_constants_are_not_called_early() -> None:
    calls: list[tuple[Any, ...]] = []

    def call(*values: Any) -> bool:
        calls.append(values)
        return True

    functions = BUILTINS.extended(Function("SEEN", (str, int, bool), bool, call))
    expression = parse("SEEN(5, '6', 'TRUE')", functions)
    assert calls == []
    assert expression.matches({})
    assert calls == [("5", 6, True)]
    assert [type(value) for value in calls[0]] == [str, int, bool]


def test_iteration_gives_every_function() -> None:
    def names(functions: Iterable[Function]) -> list[str]:
        return sorted(found.name for found in functions)

    assert names(BUILTINS) == sorted(
        [
            *("LENGTH", "CONCAT", "CONCAT_WS", "LOWER", "UPPER", "TRIM", "LEFT", "RIGHT"),
            *("SUBSTRING", "SUBSTRING", "ABS", "INT", "BOOL", "STRING"),
        ]
    )
