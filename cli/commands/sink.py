"""`weir sink`: receive deliveries here."""

import json
import signal
import threading
from typing import Any

import click

from cli.errors import CommandError
from cli.options import Duration
from cli.receiver import Behaviour, Receiver


def line(request: dict[str, Any]) -> str:
    """A request in one line for people."""
    headers = request["headers"]
    what = headers.get("ce-type")
    if what is None and "cloudevents" in headers.get("content-type", ""):
        try:
            what = json.loads(request.get("body", "")).get("type")
        except (ValueError, AttributeError):
            what = None
    body = request.get("body", "(binary)").replace("\n", " ")
    shown = body if len(body) <= 120 else body[:119] + "…"
    status = "hangs" if request["status"] is None else request["status"]
    parts = (
        request["at"],
        request["method"],
        request["path"],
        status,
        what,
        headers.get("webhook-id"),
        shown,
    )
    text = "  ".join(str(part) for part in parts if part is not None)
    return "".join(c if c.isprintable() else "·" for c in text)


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default="a free one", help="Port to listen on."
)
@click.option(
    "--status", type=click.IntRange(200, 599), default=200, show_default=True, help="What to answer."
)
@click.option(
    "--fail", type=click.IntRange(0), default=0, help="Fail the first N only, with --status or 503."
)
@click.option("--delay", type=Duration(), default=0.0, help="Answer so much later.")
@click.option("--hang", is_flag=True, help="Never answer.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Add a header to the answer.")
@click.option("--count", type=click.IntRange(1), help="End after so many requests.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "ndjson"]), default="table", show_default=True
)
def sink(
    *,
    port: int,
    status: int,
    fail: int,
    delay: float,
    hang: bool,
    headers: tuple[str, ...],
    count: int | None,
    output: str,
) -> None:
    """Receive deliveries here and print them, one line each.

    \b
    Example:
      weir sink --port 9000
      weir sink --fail 2 -o ndjson
      weir sink --status 429 --header retry-after:2
    """  # noqa: D301 \b keeps click from joining the lines
    pairs = [header.partition(":") for header in headers]
    if any(not sign for _, sign, _ in pairs):
        raise click.UsageError("--header takes NAME:VALUE")
    done = threading.Event()
    seen = 0

    def got(request: dict[str, Any]) -> None:
        nonlocal seen
        click.echo(line(request) if output == "table" else json.dumps(request, ensure_ascii=False))
        seen += 1
        if count is not None and seen >= count:
            done.set()

    added = {name.strip(): value.strip() for name, _, value in pairs}
    behaviour = Behaviour(status=status, fail=fail, delay=delay, hang=hang, headers=added)
    try:
        receiver = Receiver(port, behaviour, got)
    except OSError as error:
        raise CommandError(f"port {port}: {error.strerror}", hint="--port 0 picks a free one") from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: done.set())
    click.echo(f"listening at {receiver.url}", err=True)
    serving = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    serving.start()
    done.wait()
    receiver.ending.set()
    receiver.shutdown()
    receiver.server_close()
