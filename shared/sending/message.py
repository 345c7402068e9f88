"""An event as it goes to sinks: encoded once for each format, whoever gets it."""

import re
from functools import cache
from importlib.metadata import version
from random import getrandbits
from typing import Any
from uuid import UUID

from shared.core.cloudevents import DataKind, Event, to_binary, to_structured

Headers = list[tuple[str, str]]

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")


@cache
def user_agent() -> str:
    """`weir/VERSION`."""
    return f"weir/{version('weir')}"


class Message:
    """One event and its encodings."""

    __slots__ = ("_binary", "_json", "event", "uid")

    def __init__(self, uid: UUID, event: Event) -> None:
        self.uid = uid
        self.event = event
        self._binary: tuple[Headers, bytes] | None = None
        self._json: tuple[Headers, bytes] | None = None

    @property
    def size(self) -> int:
        """Bytes of its data."""
        return len(self.event.data or b"")

    def encoded(self, form: str) -> tuple[Headers, bytes]:
        """Headers and body in the format of a delivery policy.

        An event without data goes structured always: a webhook needs a body (http-webhook.md, section 2.1).
        """
        if form == "json" or self.event.data_kind is DataKind.NONE:
            if self._json is None:
                self._json = to_structured(self.event)
            return self._json
        if self._binary is None:
            self._binary = to_binary(self.event)
        return self._binary


def message_of(row: Any) -> Message:
    """The message of a database row with the columns `queries.EVENT`."""
    return Message(row["uid"], event_of(row))


def event_of(row: Any) -> Event:
    """The event of such a row, which has no need of its uid. Raises ValueError for a kind of data that is not known."""
    return Event(
        row["specversion"],
        row["id"],
        row["source"],
        row["type"],
        row["subject"],
        row["time"],
        row["datacontenttype"],
        row["dataschema"],
        row["extensions"] or {},
        row["data"],
        DataKind(row["data_kind"]),
    )


def traceparent(event: Event | None) -> str:
    """The `traceparent` of one request (W3C Trace Context): the event's trace, if it has one, with a new span.

    A batch of several has none that is all of theirs. The event's own `ce-traceparent` stays as it is.
    """
    found = None if event is None else event.extensions.get("traceparent")
    match = _TRACEPARENT.fullmatch(found) if isinstance(found, str) else None
    # Random as the specification asks for it, which is not for secrets: no system call for each. 0 is not valid.
    span = getrandbits(64) or 1
    if match is None or match[1] == "0" * 32:
        return f"00-{getrandbits(128) or 1:032x}-{span:016x}-01"
    return f"00-{match[1]}-{span:016x}-{match[2]}"
