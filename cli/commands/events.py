"""`weir events`: what was taken in."""

import json
from collections.abc import Mapping
from typing import Any

import click

from cli.api import Api
from cli.lookup import identity_of
from cli.options import api_options, page_options
from cli.output import Column, output_option, show, show_list
from cli.searching import Filters, event_filters, named, tell_how_far

COLUMNS: list[Column] = [
    ("uid", "uid"),
    ("received", "receivedAt"),
    ("type", "event.type"),
    ("source", "event.source"),
    ("subject", "event.subject"),
    ("outcome", lambda row: outcome(row)),  # noqa: PLW0108 defined below
]
WIDE: list[Column] = [
    ("id", "event.id"),
    ("size", "size"),
    ("latency ms", "latencyMs"),
    ("fault", "schemaFault"),
]

DELIVERY_COLUMNS: list[Column] = [
    ("delivery", "id"),
    ("subscription", "subscriptionName"),
    ("status", "status"),
    ("attempts", "attemptCount"),
    ("code", "lastStatusCode"),
    ("error", "lastError"),
    ("next attempt", "nextAttemptAt"),
]


def outcome(row: Mapping[str, Any]) -> str:
    """The counts that are not zero, as `2 delivered, 1 dead`."""
    counts = row.get("outcome") or {}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "unmatched"


@click.group()
def events() -> None:
    """Look at stored events.

    \b
    Example:
      weir events ls --type order.created --since 1h
    """  # noqa: D301 \b keeps click from joining the lines


@events.command("ls")
@event_filters
@page_options
@output_option
@api_options
def list_events(api: Api, filters: Filters, limit: int, cursor: str | None, output: str) -> None:
    """List events, newest first.

    \b
    Example:
      weir events ls --type order.created --since 1h -o wide
      weir events ls --outcome failed --since 1h
      weir events ls --facet order:A-1 --ext partitionkey:C-7
    """  # noqa: D301
    answer = api.get("/events", {**named(api, filters), "limit": limit, "cursor": cursor})
    show_list(
        output,
        answer,
        COLUMNS,
        wide=WIDE,
        name="uid",
        empty="no event matches" if filters else "no event yet; send one with `weir emit`",
    )
    tell_how_far(answer, output)


VERDICT_COLUMNS: list[Column] = [
    ("subscription", lambda row: row.get("subscriptionName") or row.get("subscription")),
    ("version", "version"),
    ("state", "state"),
    ("matched", "matched"),
    ("clause", "clause"),
    ("because", "detail"),
]


@events.command("explain")
@click.argument("uid")
@click.option(
    "--subscription", metavar="NAME|ID", help="Ask this one alone; by its id also when it is deleted."
)
@click.option("--version", type=click.IntRange(min=1), help="What that subscription said at this version.")
@click.option("--then", is_flag=True, help="As it was when the event was received.")
@output_option
@api_options
def explain_event(
    api: Api, *, uid: str, subscription: str | None, version: int | None, then: bool, output: str
) -> None:
    """Say which subscriptions an event matches, and by which clause it fails the others.

    \b
    Example:
      weir events explain 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 --then
      weir events explain 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 --subscription billing --version 2
    """  # noqa: D301
    if version is not None and subscription is None:
        raise click.UsageError("--version is of a subscription: name it with --subscription")
    if then and subscription is not None:
        raise click.UsageError(
            "--then is of all subscriptions: leave --subscription out, or name a --version"
        )
    query = {"version": version, "then": "true" if then else None}
    if subscription is not None:
        query["subscription"] = identity_of(api, subscription)
    show_list(
        output,
        api.get(f"/events/{uid}/explain", query),
        VERDICT_COLUMNS,
        wide=[("error", "error"), ("delivery", "delivery")],
        name="subscription",
        empty="there is no subscription",
    )


@events.command("get")
@click.argument("uid")
@click.option("--explain", is_flag=True, help="Say for every subscription why it matched or not.")
@click.option(
    "--timeline", is_flag=True, help="Show its whole story: every subscription, attempt and wait, in time."
)
@output_option
@api_options
def get_event(api: Api, *, uid: str, explain: bool, timeline: bool, output: str) -> None:
    """Show one event with its deliveries; as a table, its deliveries alone.

    \b
    Example:
      weir events get 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 -o yaml
      weir events get 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 --timeline
      weir events get 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 --explain
    """  # noqa: D301
    if timeline:
        _show_story(api, uid, output)
        return
    if explain:
        show_list(
            output,
            api.get(f"/events/{uid}/explain"),
            VERDICT_COLUMNS,
            name="subscription",
            empty="there is no subscription",
        )
        return
    found = api.get(f"/events/{uid}")
    deliveries = found.get("deliveries", [])
    show(
        output,
        found,
        rows=deliveries,
        columns=DELIVERY_COLUMNS,
        wide=[("sink", "sink")],
        name=str(found["uid"]),
    )
    if output in {"table", "wide"} and not deliveries:
        click.echo("no subscription matched; --explain says why", err=True)


def _show_story(api: Api, uid: str, output: str) -> None:
    """The story, drawn; in the other forms as the API tells it."""
    story = api.get(f"/events/{uid}/story")
    if output not in {"table", "wide"}:
        show(output, story, rows=[story], columns=COLUMNS, name=str(story["uid"]))
        return
    import shutil

    from cli.timeline import lines

    for line in lines(story, width=shutil.get_terminal_size().columns):
        # A control character in data must not reach the terminal.
        click.echo("".join(c if c.isprintable() else "·" for c in line))


@events.command("diff")
@click.argument("uid")
@click.argument("other", required=False)
@output_option
@api_options
def diff_events(api: Api, *, uid: str, other: str | None, output: str) -> None:
    """Show what an event has otherwise than another one, or than the last of its type before it.

    \b
    Example:
      weir events diff 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10
      weir events diff 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10 0199c3f2-8a51-7c3e-b0d4-5f2a9e6b1c70
    """  # noqa: D301
    answer = api.get(f"/events/{uid}/compare", {"with": other})
    columns: list[Column] = [
        ("place", "pointer"),
        ("there", lambda row: _side(row, "left")),
        ("here", lambda row: _side(row, "right")),
    ]
    show(output, answer, rows=answer["items"], columns=columns, name=lambda row: str(row["pointer"]))
    if output not in {"table", "wide"}:
        return
    if answer["left"] is None:
        click.echo("there is no earlier event of its type within a week: name one", err=True)
    else:
        more = "" if answer["complete"] else " and more"
        click.echo(f"{len(answer['items'])} differences{more} to {answer['left']}", err=True)


def _side(row: Mapping[str, Any], side: str) -> str | None:
    """One side of a difference as JSON; None where there is nothing."""
    there = row["inLeft" if side == "left" else "inRight"]
    return json.dumps(row[side], ensure_ascii=False) if there else None
