"""What is printed, in each form."""

import json

import click
import pytest
import yaml
from click.testing import CliRunner

from cli.output import show, show_list, table

ANSWER = {
    "items": [{"id": "a", "in": {"n": 1}, "ok": True}, {"id": "b\x1b[31m", "in": {"n": None}, "ok": False}],
    "next": "c",
}


def printed(output: str) -> tuple[str, str]:
    @click.command()
    def command() -> None:
        show_list(output, ANSWER, [("id", "id"), ("n", "in.n")], wide=[("ok", "ok")], empty="nothing")

    done = CliRunner().invoke(command)
    assert done.exit_code == 0
    return done.stdout, done.stderr


def test_json_and_yaml_are_the_answer_itself() -> None:
    assert json.loads(printed("json")[0]) == ANSWER
    assert yaml.safe_load(printed("yaml")[0]) == ANSWER


def test_ndjson_is_a_line_for_each_item() -> None:
    assert [json.loads(line) for line in printed("ndjson")[0].splitlines()] == ANSWER["items"]


def test_names_are_one_in_a_line() -> None:
    assert printed("name")[0].splitlines()[0] == "a"


def test_a_table_says_that_there_is_more_and_keeps_the_terminal_safe() -> None:
    out, err = printed("table")
    assert out.splitlines() == ["ID      N", "a       1", "b·[31m  -"]
    assert "--cursor c" in err
    assert printed("wide")[0].splitlines()[0] == "ID      N  OK"
    assert "yes" in printed("wide")[0]


def test_an_empty_list_says_why() -> None:
    @click.command()
    def command() -> None:
        show_list("table", {"items": [], "next": None}, [("id", "id")], empty="nothing yet")

    done = CliRunner().invoke(command)
    assert (done.stdout, done.stderr) == ("", "nothing yet\n")


@pytest.mark.parametrize(
    ("output", "expected"), [("name", "n\n"), ("ndjson", '{"a":1}\n'), ("table", "A\n1\n")]
)
def test_a_single_thing(output: str, expected: str) -> None:
    @click.command()
    def command() -> None:
        show(output, {"a": 1}, rows=[{"a": 1}], columns=[("a", "a")], name="n")

    assert CliRunner().invoke(command).stdout == expected


def test_nested_values_are_written_as_json() -> None:
    assert table([{"f": [{"exact": {"type": "t"}}]}], [("f", "f")], cut=True).endswith(
        '[{"exact":{"type":"t"}}]'
    )
