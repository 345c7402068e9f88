"""What the help of the commands shows as examples."""

import shlex
from collections.abc import Iterator
from itertools import takewhile

import click

Path = tuple[str, ...]


def walk(command: click.Command, path: Path = ()) -> Iterator[tuple[Path, click.Command]]:
    """Every command and group below, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*path, name))


def lines(command: click.Command) -> list[str]:
    """The lines below "Example:"."""
    text = (command.help or "").partition("Example:")[2]
    return [line.strip() for line in text.splitlines() if line.strip()]


def read(line: str) -> tuple[dict[str, str], list[str]]:
    """An example as its environment and its words, of which the first is the program."""
    words = shlex.split(line)
    environment = dict(words.pop(0).split("=", 1) for _ in list(takewhile(lambda w: "=" in w, words)))
    return environment, words
