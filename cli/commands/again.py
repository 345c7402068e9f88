"""`weir replay`, `weir deliveries retry` and `weir deliveries cancel`: once more, or no more."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import click

from cli.api import Api
from cli.documents import expressions, read_document
from cli.errors import INVALID, UNDELIVERED, CommandError
from cli.lookup import identity_of
from cli.options import Duration, Instant, api_options, confirm, yes_option
from cli.output import Column, output_option, show, table

P = ParamSpec("P")
R = TypeVar("R")

LOOK_SECONDS = 0.5


def whole_seconds(name: str) -> Callable[[Mapping[str, Any]], str | None]:
    """Estimates are worth no decimals; what is not nothing does not look like it."""

    def said(row: Mapping[str, Any]) -> str | None:
        seconds = row[name]
        return None if seconds is None else "<1" if 0 < seconds < 1 else f"{seconds:.0f}"

    return said


COLUMNS: list[Column] = [
    ("id", "id"),
    ("kind", "kind"),
    ("state", "state"),
    ("total", "total"),
    ("opened", "opened"),
    ("waiting", "waiting"),
    ("delivered", "delivered"),
    ("failed", "failed"),
    ("cancelled", "cancelled"),
    ("left (s)", whole_seconds("secondsLeft")),
]
WIDE: list[Column] = [
    ("skipped", "skipped"),
    ("to", "to"),
    ("rate", "ratePerSecond"),
    ("by", "createdBy"),
    ("created", "createdAt"),
    ("reason", "reason"),
    ("why", "stateReason"),
]
SINKS: list[Column] = [
    ("subscription", "subscriptionName"),
    ("sink", "sink"),
    ("count", "count"),
    ("duplicates", "duplicates"),
    ("about (s)", whole_seconds("seconds")),
    ("state", "state"),
    ("circuit", "circuit"),
    ("failing", lambda row: None if row["failing"] is None else f"{row['failing']['rate']:.0%}"),
    ("left out", "leftOut"),
]


def select_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options that say which deliveries or events are meant; the command gets them as `select`."""

    @click.option("--event", "events", multiple=True, help="The event with this uid; any of several.")
    @click.option(
        "--subscription", multiple=True, help="Deliveries of the subscription with this id or name."
    )
    @click.option("--sink", multiple=True, metavar="URL", help="Deliveries to exactly this address.")
    @click.option("--status", multiple=True, help="Deliveries in this status, such as dead; any of several.")
    @click.option("--since", type=Instant(), help="Of events received at or after: an instant, or 2h.")
    @click.option("--until", type=Instant(), help="Of events received before.")
    @click.option("--type", "event_type", multiple=True, help="Of events of exactly this type.")
    @click.option("--code", multiple=True, metavar="503|5xx|none", help="What the last attempt got.")
    @click.option("--error", help="Deliveries with this text in their last error.")
    @click.option("-q", "q", help="Deliveries with this text in sink, subscription, error, type or subject.")
    @click.option("--filters", help="Filters on their events as a JSON or YAML array, or @FILE.")
    @click.option(
        "--sql", multiple=True, help="Only events that this CloudEvents SQL expression lets through."
    )
    @click.option("--cel", multiple=True, help="Only events that this CEL expression lets through.")
    @functools.wraps(command)
    def with_select(*args: Any, **given: Any) -> R:
        filters = read_document(text) if (text := given.pop("filters")) else None
        if filters is not None and not isinstance(filters, list):
            raise CommandError("filters are an array", code=INVALID)
        if more := expressions(given.pop("sql"), given.pop("cel")):
            filters = [*(filters or []), *more]
        names = {
            "events": "events", "subscription": "subscription", "status": "status", "since": "since",
            "until": "until", "event_type": "type", "code": "statusCode", "error": "error", "sink": "sink", "q": "q",
        }  # fmt: skip
        select = {member: list(value) if isinstance(value, tuple) else value
                  for name, member in names.items() if (value := given.pop(name))}  # fmt: skip
        if filters is not None:
            select["filters"] = filters
        return command(*args, select=select, **given)  # type: ignore[arg-type]  # click passes what was asked

    return with_select


def start_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add how it is started, and whether."""
    for option in (
        yes_option,
        click.option("--dry-run", is_flag=True, help="Only count, and say what to expect."),
        click.option("--reason", help="Why; it is kept in the audit log."),
        click.option("--leave-out", multiple=True, help="A subscription, by id or name, that is left out."),
    ):
        command = option(command)
    return command


def pace_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add how fast it goes and when it stops."""
    for option in (
        click.option("--wait", type=Duration(), help="Wait until it has ended, at most so long."),
        click.option(
            "--stop", metavar="N/OF", help="Pause when more than N of the last OF at a sink failed."
        ),
        click.option(
            "--rate", type=float, help="Deliveries a second to each sink; as many as it takes without."
        ),
    ):
        command = option(command)
    return command


@click.command("replay")
@select_options
@click.option(
    "--to", help="The id or name of a subscription, or an address; without, the same deliveries again."
)
@pace_options
@start_options
@output_option
@api_options
def replay(api: Api, /, *, select: dict[str, Any], to: str | None, **given: Any) -> None:
    """Deliver stored events again. It counts first, and asks.

    \b
    Example:
      weir replay --since 2h --to billing --dry-run
      weir replay --since 1d --status dead --rate 20 --stop 10/20 --reason 'the pool was raised' --yes
      weir replay --event 019377d0-2c00-7d11-9f3b-1d2c3b4a5968 --to http://127.0.0.1:9000/hook --yes
      weir replay --since 1h --sql "type LIKE 'order.%'" --to billing --yes --wait 5m
    """  # noqa: D301 \b keeps click from joining the lines
    _start(api, "/replays", select, {"to": to}, **given)


@click.command("retry")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@select_options
@pace_options
@start_options
@output_option
@api_options
def retry(api: Api, /, *, ids: tuple[str, ...], select: dict[str, Any], **given: Any) -> None:
    """Attempt deliveries again: those with these ids, or all that match. They keep their ids.

    \b
    Example:
      weir deliveries retry 019377d0-2c00-7d11-9f3b-1d2c3b4a5968
      weir deliveries retry --status dead --since 1d --rate 20 --dry-run
    """  # noqa: D301
    if ids:
        select["deliveries"] = list(ids)
        given["yes"] = True  # who names each has seen it
    _start(api, "/replays", select, {}, **given)


@click.command("cancel")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@select_options
@start_options
@output_option
@api_options
def cancel(api: Api, /, *, ids: tuple[str, ...], select: dict[str, Any], **given: Any) -> None:
    """Cancel deliveries that wait: those with these ids, or all that match. It counts first, and asks.

    \b
    Example:
      weir deliveries cancel --subscription billing --dry-run
      weir deliveries cancel --subscription billing --status retrying --reason 'a bad release' --yes
    """  # noqa: D301
    if ids:
        select["deliveries"] = list(ids)
    _start(api, "/cancellations", select, {}, **given)


def _start(
    api: Api,
    path: str,
    select: dict[str, Any],
    more: dict[str, Any],
    *,
    leave_out: tuple[str, ...],
    reason: str | None,
    dry_run: bool,
    yes: bool,
    output: str,
    rate: float | None = None,
    stop: str | None = None,
    wait: float | None = None,
) -> None:
    """Count, ask, start, and wait if that is wanted."""
    body: dict[str, Any] = {
        "select": select,
        "leaveOut": [identity_of(api, one) for one in leave_out],
        **{name: value for name, value in more.items() if value is not None},
    }
    if reason is not None:
        body["reason"] = reason
    if rate is not None:
        body["ratePerSecond"] = rate
    if stop is not None:
        body["stopWhen"] = _stop(stop)
    if dry_run:
        said = api.call("POST", path, {**body, "dryRun": True})
        show(output, said, rows=said["sinks"], columns=SINKS, name=str(said["count"]))
        if output in {"table", "wide"}:
            click.echo(summary(said), err=True)
        return
    if not yes:
        said = api.call("POST", path, {**body, "dryRun": True})
        if said["sinks"]:
            click.echo(table(said["sinks"], SINKS, cut=False), err=True)
        confirm(f"{summary(said)} Start?", yes=yes)
    started = api.call("POST", path, body)
    if wait is not None:
        started = _watch(api, started, wait)
    _print(output, started)
    if wait is not None and (started["failed"] or started["state"] != "done"):
        raise CommandError(
            f"{started['failed']} were not delivered; it is {started['state']}"
            + (f": {started['stateReason']}" if started["stateReason"] else ""),
            code=UNDELIVERED,
            hint=f"weir replays get {started['id']}",
        )


def _stop(text: str) -> dict[str, int]:
    failed, slash, of = text.partition("/")
    if not (slash and failed.isdecimal() and of.isdecimal()):
        raise click.UsageError("--stop is how many of how many, such as 10/20")
    return {"failed": int(failed), "of": int(of)}


def summary(said: dict[str, Any]) -> str:
    """What a dry run has found, in a sentence."""
    at_least = "" if said["isExact"] else "at least "
    words = {"cancel": "would be cancelled", "retry": "would be attempted again"}
    text = f"{at_least}{said['count']} {words.get(said['kind'], 'would be delivered')}"
    if said["duplicates"]:
        text += f", {said['duplicates']} of them for the second time perhaps"
    if said["seconds"]:
        text += ", in less than a second" if said["seconds"] < 1 else f", in about {said['seconds']:.0f} s"
    return f"{text}."


def _watch(api: Api, started: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What it is when it has ended, or the time is up."""
    until = time.monotonic() + seconds
    while started["state"] == "running" and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        started = api.get(f"/replays/{started['id']}")
    return started


def _print(output: str, found: dict[str, Any]) -> None:
    show(output, found, rows=[found], columns=COLUMNS, wide=WIDE, name=str(found["id"]))
