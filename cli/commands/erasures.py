"""`weir erasures`: what is no longer to be there."""

from typing import Any

import click

from cli.api import Api
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

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
