"""`weir searches`: searches that are kept under a name."""

from typing import Any

import click

from cli.api import Api
from cli.commands import deliveries, events
from cli.errors import USAGE, CommandError
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list
from cli.searching import Filters, all_filters, named, query_of, saved, tell_how_far

COLUMNS: list[Column] = [
    ("name", "name"),
    ("list", "page"),
    ("asks", lambda row: asks(row["query"])),
]
WIDE: list[Column] = [("id", "id"), ("changed", "updatedAt")]
OF_EVENTS = ("outcome", "schemaFault")
OF_DELIVERIES = ("status", "event")


def asks(query: dict[str, Any]) -> str:
    """What a search asks, as `type=order.created outcome=dead`."""
    return " ".join(
        f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in query.items()
    )


@click.group()
def searches() -> None:
    """Keep searches of events and deliveries, for everybody in the project.

    \b
    Example:
      weir searches save 'Orders that died' --type order.created --outcome dead --last 1d
      weir searches run 'Orders that died'
    """  # noqa: D301 \b keeps click from joining the lines


@searches.command("ls")
@page_options
@output_option
@api_options
def list_searches(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the searches of the project.

    \b
    Example:
      weir searches ls -o wide
    """  # noqa: D301
    answer = api.get("/searches", {"limit": limit, "cursor": cursor})
    empty = "no search yet; keep one with `weir searches save`"
    show_list(output, answer, COLUMNS, wide=WIDE, name="name", empty=empty)


@searches.command("save")
@click.argument("name")
@click.option("--last", metavar="1h", help="Received since so long before now, whenever it is asked.")
@click.option(
    "--deliveries", "of_deliveries", is_flag=True, help="Of deliveries; --status and --event say so too."
)
@all_filters
@output_option
@api_options
def save_search(
    api: Api, filters: Filters, *, name: str, last: str | None, of_deliveries: bool, output: str
) -> None:
    """Keep a search, or put another in the place of the one with that name.

    \b
    Example:
      weir searches save 'Orders that died' --type order.created --outcome dead --last 1d
      weir searches save 'Refused by the CRM' --status dead --code 4xx --sink https://crm.example.com/hook
    """  # noqa: D301
    of_deliveries = of_deliveries or any(one in filters for one in OF_DELIVERIES)
    if of_deliveries and any(one in filters for one in OF_EVENTS):
        raise CommandError(
            "--outcome and --faulty are of events, --status and --event of deliveries", code=USAGE
        )
    query = {**named(api, filters), **({} if last is None else {"last": last})}
    if "schemaFault" in query:
        query["schemaFault"] = True
    body = {"name": name, "page": "deliveries" if of_deliveries else "events", "query": query}
    there = next((one for one in api.pages("/searches", {}) if one["name"] == name), None)
    kept = (
        api.call("POST", "/searches", body)
        if there is None
        else api.call("PUT", f"/searches/{there['id']}", body)
    )
    show(output, kept, rows=[kept], columns=COLUMNS, wide=WIDE, name=str(kept["name"]))


@searches.command("run")
@click.argument("search", metavar="NAME|ID")
@page_options
@output_option
@api_options
def run_search(api: Api, search: str, limit: int, cursor: str | None, output: str) -> None:
    """List what a saved search finds now.

    \b
    Example:
      weir searches run 'Orders that died' --limit 10 -o ndjson
    """  # noqa: D301
    found = saved(api, search)
    of = events if found["page"] == "events" else deliveries
    answer = api.get(f"/{found['page']}", {**query_of(found), "limit": limit, "cursor": cursor})
    name = "uid" if found["page"] == "events" else "id"
    show_list(output, answer, of.COLUMNS, wide=of.WIDE, name=name, empty="nothing matches")
    tell_how_far(answer, output)


@searches.command("delete")
@click.argument("search", metavar="NAME|ID")
@yes_option
@api_options
def delete_search(api: Api, search: str, yes: bool) -> None:
    """Delete a saved search; what it finds stays.

    \b
    Example:
      weir searches delete 'Orders that died' --yes
    """  # noqa: D301
    found = saved(api, search)
    confirm(f"Delete the search {found['name']}? Everybody in the project loses it.", yes=yes)
    api.call("DELETE", f"/searches/{found['id']}")
    click.echo(f"deleted {found['name']}", err=True)
