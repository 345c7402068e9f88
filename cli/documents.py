"""Documents and expressions as they are given on the command line."""

import sys
from pathlib import Path
from typing import Any

from cli.errors import INVALID, CommandError


def expressions(sql: tuple[str, ...], cel: tuple[str, ...]) -> list[Any]:
    return [*({"sql": text} for text in sql), *({"cel": text} for text in cel)]


def read_document(text: str) -> Any:
    """JSON or YAML given on the command line, from `@FILE`, or from standard input as `@-`."""
    if text.startswith("@"):
        try:
            text = sys.stdin.read() if text == "@-" else Path(text[1:]).read_text()
        except OSError as error:
            raise CommandError(f"{text[1:]}: {error.strerror}") from error
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandError(f"neither JSON nor YAML: {error}", code=INVALID) from error


def text_of(given: str) -> str:
    """An expression given on the command line, or from `@FILE`."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text()
    except OSError as error:
        raise CommandError(f"{given[1:]}: {error.strerror}") from error
