"""What the commands about old events share: which are meant, and what is said of those that wait."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

WHY = {
    "archive": "no archive is configured: whoever runs Weir sets WEIR_ARCHIVE_URL",
    "store": "the archive does not answer or takes nothing; it is tried again every minute",
    "deliveries": "some of their deliveries are under way: weir deliveries ls --status retrying",
    "unread": "dispatch has not read all of their events",
}

_FILTERS = (
    click.option("-t", "--type", "event_type", help="Only of this type."),
    click.option("-s", "--source", help="Only from this source."),
    click.option("--subject", help="Only with this subject."),
)


def event_filters(command: Command) -> Command:
    """The options `--type`, `--source` and `--subject`."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def say_waiting(waiting: Iterable[Mapping[str, Any]]) -> None:
    """Say on stderr which days are over and still in the database, and why."""
    for wait in waiting:
        days = "1 day is" if wait["days"] == 1 else f"{wait['days']} days are"
        click.echo(
            f"{days} over and still in the database, the oldest of {wait['oldest']}: {WHY[wait['reason']]}",
            err=True,
        )
