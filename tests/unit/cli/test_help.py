"""Every command explains itself, and what it shows as an example can be typed."""

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, weir
from tests.support.helped import lines, read, walk

ALL = list(walk(weir))


def parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Parse as a call would, without doing anything; raises click.UsageError."""
    context = command.make_context(command.name, list(arguments), parent=parent)
    if isinstance(command, click.Group):
        _, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        parse(found, rest, context)


def examples(command: click.Command) -> list[tuple[dict[str, str], list[str]]]:
    """Each example as its environment and the words after `weir`."""
    found = []
    for line in lines(command):
        environment, words = read(line)
        if words[0] == "weir":
            found.append((environment, words[1:]))
        else:
            assert words == ["make", "demo"], line
    return found


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(p) or "weir" for p, _ in ALL])
def test_help_has_an_example_that_parses(
    path: tuple[str, ...], command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = CliRunner().invoke(weir, [*path, "--help"])
    assert shown.exit_code == 0
    assert "Example:" in shown.output
    for environment, example in examples(command):
        assert tuple(example[: len(path)]) == path
        with monkeypatch.context() as set_as_shown:
            for name, value in environment.items():
                set_as_shown.setenv(name, value)
            parse(weir, example)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help or parameter.name == "output", f"{path} {parameter.opts}"


def test_the_list_of_commands_is_told_without_loading_them() -> None:
    shown = CliRunner().invoke(weir, ["--help"]).output
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in shown
        assert text in shown


def test_each_summary_in_the_list_is_its_own(subtests: pytest.Subtests) -> None:
    for name, (_, text) in COMMANDS.items():
        with subtests.test(name):
            assert text.endswith(".")
            assert len(text) < 60


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(weir, ["nope"]).exit_code == 2
