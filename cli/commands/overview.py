"""`weir overview`: how a project does, from counts."""

from collections.abc import Mapping
from typing import Any

import click

from cli.api import Api
from cli.options import Instant, api_options
from cli.output import Column, output_option, show

BY = {"sink": "sinks", "type": "types", "minute": "points"}


def delivered(row: Mapping[str, Any]) -> str:
    """How much of what ended was delivered; rounded down, so that 100.00 % means all."""
    ended = row["delivered"] + row["dead"]
    return "-" if not ended else f"{row['delivered'] * 10_000 // ended / 100:.2f} %"


def duration(name: str) -> Column:
    """A column of milliseconds."""

    def text(row: Mapping[str, Any]) -> str | None:
        return None if row[name] is None else f"{row[name]:.0f} ms"

    return name.removesuffix("Ms"), text


def rate(name: str) -> Any:
    """How many of these there were a second."""

    def text(row: Mapping[str, Any]) -> str:
        return f"{row[name] / row['seconds']:.2f}/s" if row["seconds"] else "-"

    return text


_BECAME: list[Column] = [
    ("delivered", delivered),
    ("dead", "dead"),
    ("retrying", "retrying"),
    ("failed attempts", "failedAttempts"),
]
COLUMNS: dict[str, list[Column]] = {
    "sink": [("subscription", "subscriptionName"), *_BECAME, duration("p95Ms"), ("circuit", "circuit")],
    "type": [("type", "type"), ("events", "events"), *_BECAME],
    "minute": [
        ("from", "at"),
        ("in", rate("events")),
        ("out", rate("delivered")),
        *_BECAME,
        duration("p50Ms"),
        duration("p95Ms"),
        duration("p99Ms"),
    ],
}
WIDE: dict[str, list[Column]] = {
    "sink": [("sink", "sink"), ("state", "state"), ("id", "subscription")],
    "type": [],
    "minute": [("backlog", "backlogSeconds")],
}


@click.command()
@click.option("--since", type=Instant(), help="From here on; without, an hour before the end.")
@click.option("--until", type=Instant(), help="Before this instant; without, now.")
@click.option(
    "--by", type=click.Choice(list(BY)), default="sink", show_default=True, help="What the rows are."
)
@output_option
@api_options
def overview(api: Api, since: str | None, until: str | None, by: str, output: str) -> None:
    """Tell how the project does: rates, latencies, and the worst sinks first.

    Everything counts in the minute in which its event was received, as it stands now.

    \b
    Example:
      weir overview --since 24h
      weir overview --by minute -o json
    """  # noqa: D301 \b keeps click from joining the lines
    answer = api.get("/overview", {"since": since, "until": until})
    rows = answer[BY[by]]
    if output in {"table", "wide"}:
        click.echo(_said(answer), err=True)
    show(
        output,
        answer,
        rows=rows,
        columns=COLUMNS[by],
        wide=WIDE[by],
        name=lambda row: str(row[{"sink": "subscription", "type": "type", "minute": "at"}[by]]),
    )


def recounted(minutes: int) -> str:
    """What is said of minutes whose figures may change."""
    return f"{minutes:,} {'minute is' if minutes == 1 else 'minutes are'} being counted again"


def _said(answer: Mapping[str, Any]) -> str:
    """The figures, in a line."""
    totals, seconds = answer["totals"], answer["seconds"]
    parts = [
        f"in {totals['events'] / seconds:.2f}/s ({totals['events']:,})",
        f"out {totals['delivered'] / seconds:.2f}/s ({totals['delivered']:,})",
        f"delivered {delivered(totals)}",
        f"p95 {'-' if totals['p95Ms'] is None else format(totals['p95Ms'], '.0f') + ' ms'}",
        f"backlog {answer['backlog']['seconds']:.0f} s",
        f"dead {totals['dead']:,}",
    ]
    if answer["behindMinutes"]:
        parts.append(recounted(answer["behindMinutes"]))
    return ", ".join(parts)
