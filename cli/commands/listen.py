"""`weir listen`: have events delivered to this machine, without an address that the world can reach."""

import json
import queue
import sys
import threading
from dataclasses import dataclass

import click

from cli.api import Api
from cli.errors import UNDELIVERED, CommandError
from cli.forwarding import Forwarded, Forwarder, Target, attempt_json, attempt_line
from cli.listened import Record
from cli.options import Duration, Instant, api_options
from cli.pressed import pressed
from cli.tailing import Message, Tail, dropped_text, note, query_of, selection

HELP = "keys: r sends the last one again, 12 ↵ sends #12, f all that failed, q ends"
AHEAD = 256
"""How many events may wait here while the target is slow; what comes after them waits at the server."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key that was pressed."""

    sign: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Why the stream ended."""

    error: BaseException


Happening = Message | Key | Failed


class Listening:
    """Everything happens one after the other: events as they come, and keys as they are pressed."""

    def __init__(self, forwarder: Forwarder, record: Record, *, output: str, count: int | None) -> None:
        self._forwarder = forwarder
        self._record = record
        self._output = output
        self._count = count
        self._digits = ""
        self.has_ended = False
        self._happened: queue.Queue[Happening] = queue.Queue(AHEAD)

    def happened(self, what: Happening) -> None:
        """Say it from another thread; waits while too much waits here."""
        self._happened.put(what)

    def run(self) -> None:
        """Until so many events were sent, `q`, or an error. Raises CommandError with code 6 where one failed in the end."""
        sent = 0
        while self._count is None or sent < self._count:
            match self._happened.get():
                case Failed(error):
                    raise error
                case Key(sign):
                    if sign == "q":
                        return
                    self._press(sign)
                case Message(kind="message") as message:
                    self._show(self._forwarder.take(message))
                    self._record.reached(message.place)
                    sent += 1
                case Message(kind="dropped") as message:
                    note(dropped_text(message.json()))
        if self._count is not None and (failed := self._forwarder.failed()):
            raise CommandError(f"{len(failed)} of {sent} not taken", code=UNDELIVERED)

    def _press(self, sign: str) -> None:
        if sign.isdecimal():
            self._digits += sign
            return
        digits, self._digits = self._digits, ""
        if sign in {"\n", "\r"} and digits:
            self._again([self._forwarder.find(int(digits))], f"#{digits} is not kept any more")
        elif sign == "r":
            self._again([self._forwarder.find()], "nothing was sent yet")
        elif sign == "f":
            self._again([*self._forwarder.failed()] or [None], "none of those that are kept failed")
        else:
            note(HELP)

    def _again(self, chosen: list[Forwarded | None], otherwise: str) -> None:
        for sent in chosen:
            if sent is None:
                note(otherwise)
            else:
                self._forwarder.send(sent)
                self._show(sent)

    def _show(self, sent: Forwarded) -> None:
        attempt = sent.attempts[-1]
        text = attempt_line(sent, attempt)
        click.echo(json.dumps(attempt_json(sent, attempt)) if self._output == "ndjson" else text)
        sys.stdout.flush()


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [header.partition(":") for header in given]
    if any(not sign for _, sign, _ in pairs):
        raise click.UsageError("--header takes NAME:VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


@click.command()
@selection
@click.option("--forward", required=True, metavar="URL", help="Where to, such as localhost:3000/hook.")
@click.option(
    "--since", type=Instant(), help="Begin with what was received then, such as 10m; at most 24 h ago."
)
@click.option("--resume", is_flag=True, help="Begin where the same command stopped last.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["binary", "json"]),
    default="binary",
    show_default=True,
    help="How events are written.",
)
@click.option(
    "--header", "headers", multiple=True, metavar="NAME:VALUE", help="Add a header to each request."
)
@click.option(
    "--timeout", type=Duration(), default=15.0, show_default="15s", help="How long the target may take."
)
@click.option(
    "-n", "--count", type=click.IntRange(1), help="End after so many events; 6 when one was not taken."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "ndjson"]),
    default="table",
    show_default=True,
    help="Form of the result.",
)
@api_options
def listen(
    api: Api,
    *,
    sql: str | None,
    cel: str | None,
    type_: str | None,
    source: str | None,
    subject: str | None,
    facet: tuple[str, ...],
    forward: str,
    since: str | None,
    resume: bool,
    form: str,
    headers: tuple[str, ...],
    timeout: float,
    count: int | None,
    output: str,
) -> None:
    """Have events delivered to this machine: each that matches FILTER (CESQL) is sent to URL as it is stored.

    Every attempt is shown; keys send events again. Where the connection breaks off, or the machine sleeps, it goes on
    by itself and nothing is missed. Requests are not signed, and nothing is kept of them by Weir.

    \b
    Example:
      weir listen --forward localhost:3000/hook --type 'order.*'
      weir listen --forward localhost:3000/hook 'subject = "orders/A-1"' --since 10m
      weir listen --forward https://localhost:3000/ --resume --format json
    """  # noqa: D301 \b keeps click from joining the lines
    try:
        target = Target.of(forward)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    query = query_of(sql, cel=cel, type_=type_, source=source, subject=subject, facet=facet)
    record = Record(api.context, query, forward)
    stopped = record.stopped()
    if resume and stopped is None:
        raise CommandError(
            "nothing to resume: this was not listened to within the last day", hint="--since 1h"
        )
    if stopped is not None and not (resume or since):
        note(f"this stopped {stopped.ago} ago; --resume delivers what came since")
    tail = Tail(
        api,
        {**query, "since": None if resume else since},
        note=lambda said: None if listening.has_ended else note(said),
        after=stopped.after if resume and stopped is not None else None,
        complete=True,
    )
    added = _headers(headers)
    listening = Listening(
        Forwarder(
            target, form="json" if form == "json" else "binary", timeout_seconds=timeout, headers=added
        ),
        record,
        output=output,
        count=count,
    )

    def follow() -> None:
        try:
            for message in tail:
                listening.happened(message)
        except BaseException as error:  # whoever waits for events is told
            listening.happened(Failed(error))

    with pressed(lambda sign: listening.happened(Key(sign))) as has_keys:
        if has_keys:
            note(HELP)
        threading.Thread(target=follow, daemon=True).start()
        try:
            listening.run()
        finally:
            # The connection breaks off with this process: nobody comes back.
            listening.has_ended = True
            record.save()
