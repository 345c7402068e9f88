"""The data of an event as filters see it: read at most once, and only when a filter asks."""

from typing import Any

from shared.core.cloudevents.event import DataKind, Event


class EventData:
    """The data of one event.

    JSON data is its JSON value, a text is a string, anything else is bytes, no data is None.
    """

    __slots__ = ("_kind", "_raw", "_value", "bound")

    def __init__(self, raw: bytes | None, kind: int) -> None:
        self._raw = raw
        self._kind = kind
        self._value: Any = _UNREAD
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
        if isinstance(self._value, _Unreadable):
            raise ValueError(self._value.reason)
        return self._value

    def _read(self) -> Any:
        raw = self._raw
        if raw is None or self._kind == DataKind.NONE:
            return None
        if self._kind == DataKind.BINARY:
            return raw
        try:
            if self._kind == DataKind.TEXT:
                return raw.decode()
            import msgspec

            return msgspec.json.decode(raw)
        except (ValueError, RecursionError) as error:
            return _Unreadable(str(error))


class _Unreadable:
    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


_UNREAD = object()

NO_DATA = EventData(None, DataKind.NONE)


def data_of(event: Event) -> EventData:
    """The data of `event`."""
    return EventData(event.data, event.data_kind)
