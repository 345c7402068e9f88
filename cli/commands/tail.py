"""`weir tail`: watch events as they are stored."""

import json
import shutil
import sys
from typing import Any

import click

from cli.api import Api
from cli.options import Instant, api_options
from cli.tailing import Message, Tail, clock, dropped_text, note, plain, query_of, selection

FORMS = ("table", "json", "ndjson", "name")


def line(item: dict[str, Any]) -> str:
    """An event in one line for people."""
    event = item["event"]
    data = event.get("data", event.get("data_base64"))
    text = "" if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    if item.get("facets"):
        text = " ".join(f"{name}={value}" for name, value in item["facets"].items())
    parts = (clock(item["receivedAt"]), event["type"], event["source"], event.get("subject") or "", text)
    whole = plain("  ".join(part for part in parts if part))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(whole)
    return whole if len(whole) <= width else whole[: width - 1] + "…"


def write(message: Message, output: str) -> None:
    """Show one event."""
    if output == "name":
        text = message.json()["uid"]
    elif output in {"json", "ndjson"}:
        text = json.dumps(message.json(), ensure_ascii=False, separators=(",", ":"))
    else:
        text = line(message.json())
    click.echo(text)
    sys.stdout.flush()


@click.command()
@selection
@click.option(
    "--since", type=Instant(), help="Begin with what was received then, such as 10m; at most 24 h ago."
)
@click.option(
    "--rate", type=click.IntRange(1), help="Show so many a second at most, and say what was dropped."
)
@click.option("-n", "--count", type=click.IntRange(1), help="End after so many events.")
@click.option(
    "-o", "--output", type=click.Choice(FORMS), default="table", show_default=True, help="Form of the result."
)
@api_options
def tail(
    api: Api,
    *,
    sql: str | None,
    cel: str | None,
    type_: str | None,
    source: str | None,
    subject: str | None,
    facet: tuple[str, ...],
    since: str | None,
    rate: int | None,
    count: int | None,
    output: str,
) -> None:
    """Watch events as they are stored, those that match FILTER (CESQL) if there is one.

    It goes on by itself where a connection breaks off, with nothing missed and nothing twice. Ctrl-C ends it.

    \b
    Example:
      weir tail
      weir tail 'type LIKE "order.%"' --since 10m
      weir tail --cel 'data.total > 100' -o ndjson
    """  # noqa: D301 \b keeps click from joining the lines
    query = query_of(sql, cel=cel, type_=type_, source=source, subject=subject, facet=facet) | {
        "since": since,
        "ratePerSecond": rate,
    }
    shown = 0
    for message in Tail(api, query, note=note):
        if message.kind == "dropped":
            note(dropped_text(message.json()))
            continue
        write(message, output)
        shown += 1
        if shown == count:
            return
