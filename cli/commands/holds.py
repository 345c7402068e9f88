"""`weir holds`: what is not to be destroyed."""

from urllib.parse import quote

import click

from cli.api import Api
from cli.kept import event_filters
from cli.options import Instant, api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

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
