"""Following the live stream: it goes on by itself after whatever breaks off, and says so."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from cli.api import Api
from cli.connection import NoConnectionError
from cli.errors import FAILED, CommandError

PATH = "/live/events"
PAUSE_SECONDS = (0.5, 10.0)
"""Between two tries to come back, growing from one to the other."""

GIVE_UP = 5
"""How often an answer that names no reason to wait is asked for again."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the stream. `kind` is `message` for an event; `data` is its JSON as it came."""

    kind: str
    place: str | None
    data: str

    def json(self) -> Any:
        """What it says."""
        return json.loads(self.data)


def messages(pieces: Iterable[bytes]) -> Iterator[Message]:
    """The messages in a stream (WHATWG HTML, section 9.2.6). A place without data is a message `at`."""
    rest = b""
    kind, place, lines = "message", None, []
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for raw in whole:
            line = raw.decode()
            if line:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    kind = value
                elif name == "id":
                    place = value
                elif name == "data":
                    lines.append(value)
                continue
            if lines:
                yield Message(kind, place, "\n".join(lines))
            elif place is not None:
                yield Message("at", place, "")
            kind, place, lines = "message", None, []


class Tail:
    """The stream of the context's project. `note` is told in words what becomes of the connection."""

    def __init__(
        self,
        api: Api,
        query: Mapping[str, object],
        *,
        note: Callable[[str], None],
        after: str | None = None,
        complete: bool = False,
    ) -> None:
        self._api = api
        self._query = query
        self._note = note
        self._complete = complete
        self._said: str | None = None
        self.after = after

    def __iter__(self) -> Iterator[Message]:
        """Events, and what was dropped, for ever. Raises CommandError for what coming back does not mend.

        With `complete` what the server dropped because we were slow is asked for again, and nothing is missed.
        """
        failures = 0
        self._tell("connecting")
        while True:
            try:
                for message in self._once():
                    failures = 0
                    yield message
                cause, wait = "", 0.0
            except NoConnectionError as error:
                cause, wait = error.message, None
            except CommandError as error:
                if error.retry_after_seconds is None and (error.exit_code != FAILED or failures >= GIVE_UP):
                    raise
                cause, wait = error.message, error.retry_after_seconds
            if cause:
                failures += 1
                self._tell(f"reconnecting: {cause}")
            if wait is None:
                wait = min(PAUSE_SECONDS[0] * 2 ** (failures - 1), PAUSE_SECONDS[1]) * random.uniform(0.8, 1)  # noqa: S311
            time.sleep(wait)

    def _once(self) -> Iterator[Message]:
        """The messages of one connection, until it is asked to end. Raises NoConnectionError where it just ends."""
        headers = {"accept": "text/event-stream"} | ({"last-event-id": self.after} if self.after else {})
        for message in messages(self._api.stream(PATH, self._query, headers)):
            match message.kind:
                case "message":
                    yield message
                case "dropped":
                    if self._complete and message.json()["reason"] == "slow":
                        return  # from the place before it all of it is sent again
                    yield message
                case "live":
                    self._tell("live")
                case "waiting":
                    self._tell(f"waiting: {message.json()['detail']}")
                case "end" if message.json()["reason"] == "away":
                    raise NoConnectionError("the database does not answer")
                case "end":
                    return  # where the credential is refused, the next try is told why, or has a fresh token
            if message.place is not None:
                self.after = message.place
        raise NoConnectionError("the connection was closed")

    def _tell(self, said: str) -> None:
        if said != self._said:
            self._said = said
            self._note(said)


def dropped_text(said: Mapping[str, Any]) -> str:
    """What was left out, in words."""
    if said["count"] is None:
        return f"what was received before {clock(said['until'])} is not sent: weir events ls --since …"
    why = f"over the limit of {said['limit']}/s" if said["reason"] == "rate" else "this end was too slow"
    return f"{said['count']} dropped here, {why}; they are stored: weir events ls"


def clock(instant: str) -> str:
    """`14:32:29.909`, in UTC."""
    return datetime.fromisoformat(instant).strftime("%H:%M:%S.%f")[:-3]


def plain(text: str) -> str:
    """`text` without what a terminal would act on."""
    return "".join(c if c.isprintable() else "·" for c in text)


def note(said: str) -> None:
    """Tell on stderr, dimmed."""
    click.echo(click.style(f"· {plain(said)}", dim=True), err=True)


def selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which events are wanted; `query_of` reads them."""
    for option in reversed(
        (
            click.argument("sql", required=False, metavar="[FILTER]"),
            click.option("--cel", help="A filter in CEL, which sees `data` too."),
            click.option("--type", "type_", help="Their type; with * at an end or both, a part of it."),
            click.option("--source", help="Their source, exactly."),
            click.option("--subject", help="Their subject, exactly."),
            click.option(
                "--facet", multiple=True, metavar="NAME:VALUE", help="A facet that their type declares."
            ),
        )
    ):
        command = option(command)
    return command


def query_of(
    sql: str | None,
    *,
    cel: str | None,
    type_: str | None,
    source: str | None,
    subject: str | None,
    facet: tuple[str, ...],
) -> dict[str, object]:
    """What those options ask the server for."""
    exact = type_
    if type_ is not None and "*" in type_:
        exact = None
        clause = f"type LIKE '{_pattern(type_)}'"
        sql = clause if sql is None else f"({sql}) AND {clause}"
    return {
        "sql": sql,
        "cel": cel,
        "type": exact,
        "source": source,
        "subject": subject,
        "facet": list(facet) or None,
    }


def _pattern(glob: str) -> str:
    """A CESQL text for LIKE: `*` is any characters, all others are themselves."""
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("*", "%")
    return escaped.replace("'", "\\'")
