"""`weir deliveries`: event by subscription, and each attempt."""

import click

from cli.api import Api
from cli.commands.again import cancel, retry
from cli.options import Instant, api_options, page_options
from cli.output import Column, output_option, show, show_list

STATUSES = ("pending", "retrying", "delivered", "dead", "cancelled")

COLUMNS: list[Column] = [
    ("id", "id"),
    ("event type", "eventType"),
    ("subscription", "subscriptionName"),
    ("status", "status"),
    ("attempts", "attemptCount"),
    ("code", "lastStatusCode"),
    ("error", "lastError"),
    ("next attempt", "nextAttemptAt"),
]
WIDE: list[Column] = [("event", "event"), ("sink", "sink"), ("created", "createdAt"), ("ended", "endedAt")]
ATTEMPTS: list[Column] = [
    ("attempt", "number"),
    ("started", "startedAt"),
    ("ms", "durationMs"),
    ("code", "statusCode"),
    ("error", "error"),
]


@click.group()
def deliveries() -> None:
    """Look at deliveries and their attempts, retry them, cancel what waits.

    \b
    Example:
      weir deliveries ls --status dead
    """  # noqa: D301 \b keeps click from joining the lines


@deliveries.command("ls")
@click.option("--event", help="Of the event with this uid.")
@click.option("--subscription", help="Of the subscription with this id.")
@click.option("--status", type=click.Choice(STATUSES), help="In this status.")
@click.option("--since", type=Instant(), help="Of events received at or after: an instant, or 1h.")
@click.option("--until", type=Instant(), help="Of events received before.")
@page_options
@output_option
@api_options
def list_deliveries(
    api: Api,
    *,
    event: str | None,
    subscription: str | None,
    status: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    output: str,
) -> None:
    """List deliveries, newest first; `--status dead` are the dead letters.

    \b
    Example:
      weir deliveries ls --status dead --since 1d
    """  # noqa: D301
    query = {
        "event": event, "subscription": subscription, "status": status,
        "since": since, "until": until, "limit": limit, "cursor": cursor,
    }  # fmt: skip
    show_list(output, api.get("/deliveries", query), COLUMNS, wide=WIDE, empty="no delivery matches")


@deliveries.command("get")
@click.argument("delivery_id", metavar="ID")
@output_option
@api_options
def get_delivery(api: Api, delivery_id: str, output: str) -> None:
    """Show one delivery with its attempts; as a table, the attempts alone.

    \b
    Example:
      weir deliveries get 019377d0-2c00-7d11-9f3b-1d2c3b4a5968 -o json
    """  # noqa: D301
    found = api.get(f"/deliveries/{delivery_id}")
    show(output, found, rows=found["attempts"], columns=ATTEMPTS, name=str(found["id"]))
    if output in {"table", "wide"} and not found["attempts"]:
        click.echo(f"no attempt yet; the delivery is {found['status']}", err=True)


for command in (retry, cancel):
    deliveries.add_command(command)
