"""`weir retention`: how long events are kept."""

from typing import Any

import click

from cli.api import Api
from cli.errors import USAGE, CommandError
from cli.kept import say_waiting
from cli.options import api_options, confirm, yes_option
from cli.output import Column, output_option, show


def _days(name: str) -> Any:
    def shown(row: Any) -> str:
        value = row[name]
        return "for ever" if value is None else "not at all" if value == 0 else f"{value} days"

    return shown


RETENTION: list[Column] = [
    ("in the database", _days("retentionDays")),
    ("in all", _days("archiveDays")),
    ("archive", "archive"),
    ("oldest", "oldest"),
    ("oldest archived", "oldestArchived"),
]


@click.group()
def retention() -> None:
    """Say how long events are kept, in the database and in all.

    \b
    Example:
      weir retention set --days 30 --archive-days 365 --yes
    """  # noqa: D301 \b keeps click from joining the lines


@retention.command("get")
@output_option
@api_options
def get_retention(api: Api, output: str) -> None:
    """Show how long events are kept.

    \b
    Example:
      weir retention get
    """  # noqa: D301
    said = api.get("/retention")
    show(output, said, rows=[said], columns=RETENTION, name=str(said["retentionDays"]))
    say_waiting(said["waiting"])


@retention.command("set")
@click.option("--days", type=click.IntRange(1, 36500), help="In the database.")
@click.option("--forever", is_flag=True, help="In the database, for ever.")
@click.option(
    "--archive-days", type=click.IntRange(0, 36500), help="In all, the archive included; 0 for no archive."
)
@yes_option
@output_option
@api_options
def set_retention(
    api: Api, *, days: int | None, forever: bool, archive_days: int | None, yes: bool, output: str
) -> None:
    """Set how long events are kept. Without --archive-days the archive keeps them for ever.

    \b
    Example:
      weir retention set --days 30 --yes
      weir retention set --days 7 --archive-days 365 --yes
      weir retention set --forever
    """  # noqa: D301
    if (days is None) != forever:
        raise CommandError("say one of --days and --forever", code=USAGE)
    if days is not None:
        said = api.get("/retention")
        gone = " without being archived" if archive_days == 0 else ""
        since = f" The oldest are of {said['oldest']}." if said["oldest"] else ""
        confirm(f"Let events leave the database{gone} after {days} days?{since}", yes=yes)
    said = api.call("PUT", "/retention", {"retentionDays": days, "archiveDays": archive_days})
    show(output, said, rows=[said], columns=RETENTION, name=str(said["retentionDays"]))
