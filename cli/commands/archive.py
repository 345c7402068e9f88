"""`weir archive`: what is no longer in the database, whether it is whole, and how it comes back."""

import re
from typing import Any
from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import FAILED, USAGE, CommandError
from cli.kept import event_filters, say_waiting
from cli.options import Instant, api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

DAYS: list[Column] = [
    ("day", "day"),
    ("events", "events"),
    ("bytes", "packedBytes"),
    ("as text", "rawBytes"),
    ("rows removed", "removedAt"),
]
EVENTS: list[Column] = [
    ("received", "receivedAt"),
    ("type", "event.type"),
    ("source", "event.source"),
    ("subject", "event.subject"),
    ("uid", "uid"),
]
OUTCOMES: list[Column] = [
    ("subscription", "subscriptionName"),
    ("status", "status"),
    ("attempts", "attemptCount"),
    ("last code", "lastStatusCode"),
    ("last error", "lastError"),
    ("ended", "endedAt"),
]
RECALLS: list[Column] = [
    ("state", "state"),
    ("events", "events"),
    ("of at most", "atMost"),
    ("since", "since"),
    ("until", "until"),
    ("kept until", "keepUntil"),
    ("id", "id"),
]
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@click.group()
def archive() -> None:
    """See what is archived, verify it, and bring it back.

    \b
    Example:
      weir archive ls
      weir archive verify 2026-10-01
    """  # noqa: D301 \b keeps click from joining the lines


@archive.command("ls")
@click.option("--events", "of_events", is_flag=True, help="List events and not days.")
@event_filters
@click.option("--id", "event_id", help="Only with this CloudEvents id.")
@click.option("--since", type=Instant(), help="Received from this instant on, or so long ago: 90d.")
@click.option("--until", type=Instant(), help="Received before this instant.")
@page_options
@output_option
@api_options
def list_archive(
    api: Api,
    *,
    of_events: bool,
    event_type: str | None,
    source: str | None,
    subject: str | None,
    event_id: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    cursor: str | None,
    output: str,
) -> None:
    """List the archived days, or the events in them, newest first.

    \b
    Example:
      weir archive ls
      weir archive ls --events --since 2026-10-01T00:00:00Z --subject order-7
    """  # noqa: D301
    page = {"limit": limit, "cursor": cursor}
    if of_events or event_type or source or subject or event_id:
        query = {"type": event_type, "source": source, "subject": subject, "id": event_id}
        answer = api.get("/archive/events", {**query, "since": since, "until": until, **page})
        empty = "no such event in the archive"
        if answer["next"] and not answer["items"]:
            empty = f"nothing back to {answer['searched']['until']}; go on with --cursor {answer['next']}"
        show_list(output, answer, EVENTS, name="uid", empty=empty)
        return
    days = {"since": since and since[:10], "until": until and until[:10]}
    answer = api.get("/archive/days", {**days, **page})
    show_list(output, answer, DAYS, name="day", empty="nothing is archived")
    say_waiting(answer["waiting"])


@archive.command("get")
@click.argument("thing", metavar="UID|DAY")
@output_option
@api_options
def get_archived(api: Api, thing: str, output: str) -> None:
    """Show an archived event, with what had become of it, or a day with its objects and checksums.

    \b
    Example:
      weir archive get 01942f6e-7c1a-7abc-9def-0123456789ab -o json
      weir archive get 2026-10-01 -o yaml
    """  # noqa: D301
    if _DAY.fullmatch(thing):
        day = api.get(f"/archive/days/{thing}")
        columns: list[Column] = [
            ("object", "key"),
            ("events", "events"),
            ("bytes", "packedBytes"),
            ("sha256", "sha256"),
        ]
        show(output, day, rows=day["parts"], columns=columns, name=thing)
        return
    event = api.get(f"/archive/events/{quote(thing, safe='')}")
    show(output, event, rows=[event], columns=EVENTS, name=str(event["uid"]))
    if output == "table" and event["deliveries"]:
        click.echo()
        show(output, event, rows=event["deliveries"], columns=OUTCOMES, name="")


@archive.command("verify")
@click.argument("days", metavar="[DAY]...", nargs=-1)
@api_options
def verify_archive(api: Api, days: tuple[str, ...]) -> None:
    """Have every byte of the archive read and compared: of these days, or of all.

    Sizes, checksums and every event are looked at, where the archive is. Ends with 1 when something is not whole.

    \b
    Example:
      weir archive verify
      weir archive verify 2026-10-01 2026-10-02
    """  # noqa: D301
    for day in days:
        if not _DAY.fullmatch(day):
            raise CommandError(f"{day!r} is no day such as 2026-10-01", code=USAGE)
    objects = events = faults = 0
    for day in days or (item["day"] for item in api.pages("/archive/days", {})):
        cursor: str | None = None
        while True:
            answer = api.get(f"/archive/days/{day}/verification", {"cursor": cursor})
            for item in answer["items"]:
                objects += 1
                events += 0 if item["key"].endswith("manifest.json") else item["events"]
                if item["fault"] is not None:
                    faults += 1
                    click.echo(f"{item['key']}: {item['fault']}", err=True)
            cursor = answer["next"]
            if cursor is None:
                break
    if faults:
        raise CommandError(
            f"{faults} of {objects} objects are not what they were",
            code=FAILED,
            hint="bring them back from the bucket's versions or a copy of it; until then their events are missing",
        )
    click.echo(f"whole: {objects} objects, {events} events")


@archive.command("recall")
@click.argument("uid", required=False)
@event_filters
@click.option("--since", type=Instant(), help="Received from this instant on, or so long ago.")
@click.option("--until", type=Instant(), help="Received before this instant.")
@click.option(
    "--keep", "keep_days", type=click.IntRange(1, 365), default=7, show_default=True, help="Days to stay."
)
@click.option("--reason", default="", help="Why; the audit log has it.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are at most.")
@output_option
@api_options
def recall(
    api: Api,
    *,
    uid: str | None,
    event_type: str | None,
    source: str | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    keep_days: int,
    reason: str,
    dry_run: bool,
    output: str,
) -> None:
    """Bring one event, or those of a span of time, back to the database. Nothing is delivered by that.

    Then `weir events` finds them, and `weir replay` sends them again.

    \b
    Example:
      weir archive recall 01942f6e-7c1a-7abc-9def-0123456789ab
      weir archive recall --since 2026-10-01T00:00:00Z --until 2026-10-02T00:00:00Z --dry-run
    """  # noqa: D301
    if (uid is None) == (since is None or until is None):
        raise CommandError("say which: a UID, or --since and --until", code=USAGE)
    body: dict[str, Any] = {"keepDays": keep_days, "reason": reason, "dryRun": dry_run}
    if uid is not None:
        body["event"] = uid
    else:
        body |= {"since": since, "until": until, "type": event_type, "source": source, "subject": subject}
    made = api.call("POST", "/archive/recalls", body)
    show(output, made, rows=[made], columns=RECALLS, name=str(made["id"] or ""))


@archive.command("recalls")
@page_options
@output_option
@api_options
def list_recalls(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List what was brought back, newest first.

    \b
    Example:
      weir archive recalls
    """  # noqa: D301
    answer = api.get("/archive/recalls", {"limit": limit, "cursor": cursor})
    show_list(output, answer, RECALLS, name="id", empty="nothing was brought back")


@archive.command("end-recall")
@click.argument("recall_id", metavar="RECALL")
@yes_option
@api_options
def end_recall(api: Api, recall_id: str, yes: bool) -> None:
    """End a recall: what it has brought leaves the database again, and stays in the archive.

    \b
    Example:
      weir archive end-recall 01942f6e-7c1a-7abc-9def-0123456789ab --yes
    """  # noqa: D301
    found = api.get(f"/archive/recalls/{quote(recall_id, safe='')}")
    confirm(f"Let {found['events']} events leave the database again?", yes=yes)
    api.call("DELETE", f"/archive/recalls/{quote(recall_id, safe='')}")
    click.echo("ended", err=True)
