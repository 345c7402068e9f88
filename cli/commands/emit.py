"""`weir emit`: send an event, and see it through."""

import click

from cli.api import Api
from cli.commands.events import DELIVERY_COLUMNS
from cli.errors import UNDELIVERED, CommandError
from cli.options import Duration, api_options
from cli.output import output_option, show
from cli.sending import new_event, read_data, send, wait_for


def _extensions(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for entry in given:
        name, sign, value = entry.partition("=")
        if not sign:
            raise click.UsageError(f"--ext takes NAME=VALUE, not {entry!r}")
        found[name] = value
    return found


@click.command()
@click.option("-t", "--type", "type_", required=True, help="Type of the event.")
@click.option("-s", "--source", required=True, help="Source of the event.")
@click.option("-d", "--data", help="Data, @FILE, or @- for standard input; JSON is recognised.")
@click.option("--id", "event_id", help="Id of the event; a random one without.")
@click.option("--subject", help="Subject of the event.")
@click.option("--content-type", help="Media type of the data.")
@click.option("--ext", multiple=True, metavar="NAME=VALUE", help="An extension attribute.")
@click.option("--wait", type=Duration(), help="Wait so long for its deliveries to end; 6 when they fail.")
@output_option
@api_options
def emit(
    api: Api,
    *,
    type_: str,
    source: str,
    data: str | None,
    event_id: str | None,
    subject: str | None,
    content_type: str | None,
    ext: tuple[str, ...],
    wait: float | None,
    output: str,
) -> None:
    """Send an event.

    \b
    Example:
      weir emit -t order.created -s /shop -d '{"id": 7}' --wait 10s
      weir emit -t report.ready -s /reports -d @report.pdf --content-type application/pdf
    """  # noqa: D301 \b keeps click from joining the lines
    given = {"id": event_id, "source": source, "type": type_, "subject": subject}
    attributes = new_event(
        {name: value for name, value in given.items() if value is not None} | _extensions(ext)
    )
    answer = send(api, attributes, None if data is None else read_data(data), content_type)
    sent = {"uid": answer["uid"], "id": attributes["id"], "duplicate": answer["duplicate"]}
    if wait is None:
        show(output, sent, rows=[sent], columns=[(n, n) for n in sent], name=sent["uid"])
        return
    click.echo(f"sent {sent['uid']}, waiting for its deliveries", err=True)
    found = wait_for(api, sent["uid"], wait)
    rows = found["deliveries"]
    show(output, {**sent, "deliveries": rows}, rows=rows, columns=DELIVERY_COLUMNS, name=sent["uid"])
    if not rows:
        click.echo("no subscription matched", err=True)
    failed = [d for d in rows if d["status"] != "delivered"]
    if failed:
        raise CommandError(
            f"{len(failed)} of {len(rows)} deliveries failed",
            code=UNDELIVERED,
            details=tuple(
                f"{d['subscriptionName']}: {d['lastError'] or d['lastStatusCode']}" for d in failed
            ),
            hint=f"weir deliveries get {failed[0]['id']}",
        )
