"""`weir retention`, `weir holds`, `weir erasures`: how long events are kept, and what is not to be or no longer to be."""

from typing import Any
from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import USAGE, CommandError
from cli.kept import event_filters, say_waiting
from cli.options import Instant, api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list


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
HOLDS: list[Column] = [
    ("name", "name"),
    ("type", "type"),
    ("source", "source"),
    ("subject", "subject"),
    ("since", "since"),
    ("until", "until"),
    ("lifted", "liftedAt"),
    ("id", "id"),
]
ERASURES: list[Column] = [
    ("state", "state"),
    ("subject", lambda row: row["subject"] or f"({row['digest'][:12]})"),
    ("events", "events"),
    ("archived", "archivedEvents"),
    ("held", "held"),
    ("looked through", lambda row: f"{row['daysLooked']} of {row['days']} days" if row["days"] else None),
    ("asked for", "createdAt"),
    ("id", "id"),
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


@click.group()
def holds() -> None:
    """Keep events from being destroyed.

    \b
    Example:
      weir holds create "Case 2026-17" --subject customer-7
    """  # noqa: D301


@holds.command("ls")
@page_options
@output_option
@api_options
def list_holds(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List holds, newest first; those that were lifted too.

    \b
    Example:
      weir holds ls
    """  # noqa: D301
    answer = api.get("/holds", {"limit": limit, "cursor": cursor})
    show_list(output, answer, HOLDS, name="id", empty="nothing is held")


@holds.command("create")
@click.argument("name")
@event_filters
@click.option("--since", type=Instant(), help="Only received from this instant on, or so long ago.")
@click.option("--until", type=Instant(), help="Only received before this instant.")
@output_option
@api_options
def create_hold(
    api: Api,
    *,
    name: str,
    event_type: str | None,
    source: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    output: str,
) -> None:
    """Hold events, all of the project without options. NAME says why, as the case is called.

    \b
    Example:
      weir holds create "Case 2026-17" --subject customer-7
      weir holds create Audit --since 2026-01-01T00:00:00Z --until 2027-01-01T00:00:00Z
    """  # noqa: D301
    body = {
        "name": name,
        "type": event_type,
        "source": source,
        "subject": subject,
        "since": since,
        "until": until,
    }
    made = api.call("POST", "/holds", body)
    show(output, made, rows=[made], columns=HOLDS, name=str(made["id"]))


@holds.command("lift")
@click.argument("hold")
@yes_option
@api_options
def lift_hold(api: Api, hold: str, yes: bool) -> None:
    """Lift the hold with this id. What is due then is destroyed from the next minute on.

    \b
    Example:
      weir holds lift 01942f6e-7c1a-7abc-9def-0123456789ab --yes
    """  # noqa: D301
    found = api.get(f"/holds/{quote(hold, safe='')}")
    confirm(f"Lift the hold {found['name']}?", yes=yes)
    api.call("DELETE", f"/holds/{quote(hold, safe='')}")
    click.echo(f"lifted {found['name']}", err=True)


@click.group()
def erasures() -> None:
    """Have all there is of a subject erased.

    \b
    Example:
      weir erasures create customer-7 --dry-run
    """  # noqa: D301


@erasures.command("ls")
@click.option("--subject", help="Of this subject alone, also where it is done.")
@page_options
@output_option
@api_options
def list_erasures(api: Api, subject: str | None, limit: int, cursor: str | None, output: str) -> None:
    """List erasures, newest first.

    \b
    Example:
      weir erasures ls
      weir erasures ls --subject customer-7
    """  # noqa: D301
    answer = api.get("/erasures", {"subject": subject, "limit": limit, "cursor": cursor})
    show_list(output, answer, ERASURES, name="id", empty="nothing was erased")


@erasures.command("create")
@click.argument("subject")
@click.option("--reason", default="", help="Why; the audit log has it, but not the subject.")
@click.option("--dry-run", is_flag=True, help="Only say how many events there are.")
@yes_option
@output_option
@api_options
def create_erasure(api: Api, *, subject: str, reason: str, dry_run: bool, yes: bool, output: str) -> None:
    """Erase every event with this subject, from the database and the archive, but for what is held.

    \b
    Example:
      weir erasures create customer-7 --dry-run
      weir erasures create customer-7 --reason "asked for on 1 November" --yes
    """  # noqa: D301
    body = {"subject": subject, "reason": reason}
    said = api.call("POST", "/erasures", {**body, "dryRun": True})
    if not dry_run:
        for line in _left(said):
            click.echo(line, err=True)
        more = "" if said["isExact"] else " or more"
        confirm(
            f"Erase {said['events']} events from the database and {said['archivedEvents']} from the archive{more}"
            " for ever?",
            yes=yes,
        )
        said = api.call("POST", "/erasures", body)
    show(output, said, rows=[said], columns=ERASURES, name=str(said["id"] or ""))


def _left(said: Any) -> list[str]:
    """What an erasure leaves, which whoever orders it should know."""
    lines = [f"{said['held']} are held and stay until the hold is lifted"] if said["held"] else []
    if said["keptIn"]:
        lines.append(f"these subscriptions name it and go on: {', '.join(said['keptIn'])}")
    return lines
