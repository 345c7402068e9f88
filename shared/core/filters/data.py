"""The data of an event as filters see it: read at most once, and only when a filter asks."""

import re
from base64 import b64encode
from typing import Any

from shared.core.cloudevents.event import DataKind, Event

_UNTAMED = re.compile(rb"[0-9]{19}|\\u0000")
"""Only JSON with one of these may have a number or text that has to be changed."""


class EventData:
    """The data of one event.

    JSON data is its JSON value, a text is a string, other bytes are their base64 text as in the member
    `data_base64` of the JSON format, no data is None. U+0000, which the evaluator of CEL takes for the end of
    a text, reads as U+FFFD: so what follows it is never left out of a comparison.
    """

    __slots__ = ("_fault", "_kind", "_raw", "_value", "bound")

    def __init__(self, raw: bytes | None, kind: int) -> None:
        self._raw = raw
        self._kind = kind
        self._value: Any = _UNREAD
        self._fault: str | None = None
        self.bound: Any = None
        """What an evaluator made of this event, so that the next filter need not make it again."""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self._raw or b"")

    @property
    def elements(self) -> int:
        """No list or object in it has more members than this."""
        raw = self._raw
        if raw is None or self._kind != DataKind.JSON:
            return 1
        return raw.count(b",") + 1

    def read(self) -> Any:
        """The value. Raises ValueError when data that should be JSON cannot be read."""
        if self._value is _UNREAD:
            self._value = self._read()
        if self._fault is not None:
            raise ValueError(self._fault)
        return self._value

    def _read(self) -> Any:
        raw = self._raw
        if raw is None or self._kind == DataKind.NONE:
            return None
        if self._kind == DataKind.BINARY:
            return b64encode(raw).decode()
        try:
            if self._kind == DataKind.TEXT:
                return raw.decode().replace("\0", "\ufffd")
            import msgspec

            value = msgspec.json.decode(raw)
            return _tame(value) if _UNTAMED.search(raw) else value
        except (ValueError, RecursionError, OverflowError) as error:
            self._fault = str(error)
            return None


def _tame(value: Any) -> Any:
    """Integers past 64 bits as the nearest floating-point number, as most readers of JSON have them."""
    if isinstance(value, list):
        return [_tame(part) for part in value]
    if isinstance(value, dict):
        return {name.replace("\0", "\ufffd"): _tame(part) for name, part in value.items()}
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if type(value) is int and not -(2**63) <= value < 2**64:
        return float(value)
    return value


_UNREAD = object()

NO_DATA = EventData(None, DataKind.NONE)


def data_of(event: Event) -> EventData:
    """The data of `event`."""
    return EventData(event.data, event.data_kind)
