"""`weir deliveries`: event by subscription, and each attempt."""

import click

from cli.api import Api
from cli.commands.again import cancel, retry
from cli.options import api_options, page_options
from cli.output import Column, output_option, show, show_list
from cli.searching import Filters, delivery_filters, named, tell_how_far

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
WIDE: list[Column] = [
    ("event", "event"),
    ("subject", "eventSubject"),
    ("sink", "sink"),
    ("created", "createdAt"),
    ("ended", "endedAt"),
]
CAUSES: list[Column] = [
    ("count", "count"),
    ("code", "statusCode"),
    ("error", "error"),
    ("subscription", "subscriptionName"),
    ("status", "status"),
    ("first", "firstAt"),
    ("last", "lastAt"),
]
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
@delivery_filters
@page_options
@output_option
@api_options
def list_deliveries(api: Api, filters: Filters, limit: int, cursor: str | None, output: str) -> None:
    """List deliveries, newest first; `--status dead` are the dead letters.

    \b
    Example:
      weir deliveries ls --status dead --since 1d
      weir deliveries ls --code 5xx --subscription billing --type order.created
    """  # noqa: D301
    answer = api.get("/deliveries", {**named(api, filters), "limit": limit, "cursor": cursor})
    show_list(output, answer, COLUMNS, wide=WIDE, empty="no delivery matches")
    tell_how_far(answer, output)


@deliveries.command("causes")
@delivery_filters
@output_option
@api_options
def list_causes(api: Api, filters: Filters, output: str) -> None:
    """Say why deliveries fail: how many by subscription and by what the last attempt got.

    Without `--status` of those that are dead or being retried. What a line says finds its deliveries:
    `weir deliveries ls --status dead --subscription crm --code 503`.

    \b
    Example:
      weir deliveries causes --since 1d
      weir deliveries causes --status dead --type order.created
    """  # noqa: D301
    answer = api.get("/deliveries/causes", named(api, filters))
    show_list(
        output,
        answer,
        CAUSES,
        wide=[("sink", "sink")],
        name="subscription",
        empty="nothing that matches has failed",
    )
    if output not in {"table", "wide"}:
        return
    if answer["more"]:
        click.echo(f"and {answer['more']:,} rarer causes", err=True)
    if (searched := answer["searched"]) is not None:
        click.echo(f"counted the newest {searched['count']:,}, back to {searched['until']}", err=True)


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
