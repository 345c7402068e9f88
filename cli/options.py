"""Options and value types that several commands share."""

import functools
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from cli.api import Api
from cli.contexts import current
from cli.errors import USAGE, CommandError

P = ParamSpec("P")
R = TypeVar("R")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Duration(click.ParamType[float]):
    """`500ms`, `10s`, `5m`, `2h`, `1d`; a bare number is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration; write 500ms, 10s, 5m, 2h or 1d", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "s"]


class Instant(click.ParamType[str]):
    """An RFC 3339 instant, or a duration before now."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """RFC 3339 in UTC."""
        if re.fullmatch(r"\d+(?:\.\d+)?(ms|s|m|h|d)", str(value)):
            then = datetime.now(UTC) - timedelta(seconds=Duration().convert(value, param, ctx))
        else:
            try:
                then = datetime.fromisoformat(str(value))
            except ValueError:
                self.fail(f"{value!r} is neither an instant nor a duration such as 1h", param, ctx)
            if then.tzinfo is None:
                self.fail(f"{value!r} says no zone; add Z or an offset", param, ctx)
        return then.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def api_options(command: Callable[Concatenate[Api, P], R]) -> Callable[P, R]:
    """Add `--context` and `--project`; the command gets the `Api` they choose."""

    @click.option("--context", "context_name", help="Context to use instead of the chosen one.")
    @click.option("--project", "project_name", help="Project to use instead of the context's.")
    @functools.wraps(command)
    def with_api(*args: Any, context_name: str | None, project_name: str | None, **kwargs: Any) -> R:
        with Api(current(context_name, project_name)) as api:
            return command(api, *args, **kwargs)

    return with_api  # type: ignore[return-value]  # click passes the two options, not the caller


def page_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add `--limit` and `--cursor`."""
    command = click.option("--cursor", help="Where an earlier page ended.")(command)
    return click.option(
        "--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many at most."
    )(command)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is destroyed; off a terminal `--yes` must have been said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{question} Not done without being asked.", code=USAGE, hint="say --yes")
    click.confirm(question, abort=True, err=True)


yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
