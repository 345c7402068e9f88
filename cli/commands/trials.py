"""What can be tried of a subscription: its filters, its transform, its sink."""

from typing import Any

import click

from cli.api import Api
from cli.documents import expressions, read_document, text_of
from cli.errors import INVALID, UNDELIVERED, CommandError
from cli.lookup import identity_of, resolve
from cli.options import api_options
from cli.output import Column, output_option, show


@click.command("check")
@click.argument("filters", required=False)
@click.option("--sql", multiple=True, help="A CloudEvents SQL expression to try.")
@click.option("--cel", multiple=True, help="A CEL expression to try; it sees `data` too.")
@click.option("--subscription", help="Compare with the saved filters of this subscription.")
@click.option(
    "--last", type=click.IntRange(1, 500), default=100, show_default=True, help="Stored events to try."
)
@output_option
@api_options
def check_filters(
    api: Api,
    *,
    filters: str | None,
    sql: tuple[str, ...],
    cel: tuple[str, ...],
    subscription: str | None,
    last: int,
    output: str,
) -> None:
    """Try filters (JSON, YAML or @FILE) on the last stored events without saving them.

    \b
    Example:
      weir subscriptions check '[{"prefix": {"type": "order."}}]' --last 500
      weir subscriptions check --cel 'data.total > 100' --subscription billing
    """  # noqa: D301
    given = read_document(filters) if filters else []
    if not filters and not sql and not cel:
        raise click.UsageError("say what to try: filters, --sql or --cel")
    if not isinstance(given, list):
        raise CommandError("filters are an array", code=INVALID)
    body: dict[str, Any] = {"filters": [*given, *expressions(sql, cel)], "last": last}
    if subscription:
        body["subscription"] = resolve(api, subscription)["id"]
    answer = api.call("POST", "/subscriptions/check", body)
    columns: list[Column] = [
        ("uid", "uid"),
        ("type", "type"),
        ("source", "source"),
        ("matched", "matched"),
        ("because", "detail"),
    ]
    show(output, answer, rows=answer["items"], columns=columns, name=lambda row: str(row["uid"]))
    for warning in answer["warnings"]:
        click.echo(f"warning: {warning['pointer']}: {warning['detail']}", err=True)
    counts = f"{answer['matched']} of {answer['checked']} match"
    if answer["errors"]:
        counts += f"; {answer['errors']} errors"
    if subscription:
        counts += f"; {answer['added']} more and {answer['removed']} fewer than saved"
    if not answer["complete"]:
        counts += "; older events were left out"
    click.echo(counts, err=True)


@click.command("transform")
@click.argument("expression")
@click.option("--event", "uid", help="The stored event with this uid.")
@click.option("--data", "given", help="An event in the JSON format, or @FILE.")
@output_option
@api_options
def try_transform(api: Api, expression: str, uid: str | None, given: str | None, output: str) -> None:
    """Show what JSONata (or @FILE) makes of an event, without saving or sending it.

    \b
    Example:
      weir subscriptions transform '{"data": data.order}' --event 0199c3f2-8a51-7c3e-b0d4-5f2a9e6b1c70
    """  # noqa: D301
    if (uid is None) == (given is None):
        raise click.UsageError("say which event: --event UID of a stored one, or --data with one")
    body: dict[str, Any] = {"transform": {"jsonata": text_of(expression)}}
    body |= {"uid": uid} if given is None else {"event": read_document(given)}
    answer = api.call("POST", "/subscriptions/transform", body)
    if (error := answer["error"]) is not None:
        at = "" if error["position"] is None else f" (character {error['position']})"
        raise CommandError(f"{error['detail']}{at}", code=INVALID)
    if answer["event"] is None:
        click.echo("nothing: the event would not be sent", err=True)
        return
    columns: list[Column] = [("type", "type"), ("source", "source"), ("id", "id"), ("data", "data")]
    show(output, answer["event"], rows=[answer["event"]], columns=columns, name=str(answer["event"]["id"]))


@click.command("probe")
@click.argument("subscription")
@click.option("--event", "uid", help="Send the stored event with this uid.")
@click.option("--data", "given", help="Send this event in the JSON format, or @FILE.")
@output_option
@api_options
def probe_subscription(api: Api, subscription: str, uid: str | None, given: str | None, output: str) -> None:
    """Send a test event to the sink of a subscription, now, and show what comes back.

    It is sent as a delivery would be and counts as none. Ends with 6 when the sink does not take it.

    \b
    Example:
      weir subscriptions probe billing
      weir subscriptions probe billing --event 0199c3f2-8a51-7c3e-b0d4-5f2a9e6b1c70 -o json
    """  # noqa: D301
    if uid is not None and given is not None:
        raise click.UsageError("say which event: --event UID of a stored one, or --data with one")
    body: dict[str, Any] = {}
    if uid is not None:
        body["uid"] = uid
    elif given is not None:
        body["event"] = read_document(given)
    answer = api.call("POST", f"/subscriptions/{identity_of(api, subscription)}/probe", body)
    columns: list[Column] = [
        ("status", "statusCode"),
        ("took", lambda row: f"{row['durationMs']:.0f} ms"),
        ("sink", "request.url"),
        ("answer", lambda row: ((row["response"] or {}).get("body") or "").strip()[:200] or None),
        ("error", "error"),
    ]
    show(output, answer, rows=[answer], columns=columns, name=str(answer["event"]["id"]))
    if answer["circuitClosed"]:
        click.echo("the circuit of the sink is closed: it gets what waits", err=True)
    if not answer["delivered"]:
        said = answer["error"] or f"it answered {answer['statusCode']}"
        raise CommandError(f"the sink did not take it: {said}", code=UNDELIVERED, hint=answer["advice"] or "")
