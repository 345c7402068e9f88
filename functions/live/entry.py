"""An event on its way to readers: written once, however many get it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from functions.live.frames import message
from functions.live.position import Position, instant
from shared.db.events import stored_event, unreadable

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Attributes, EventData


class Entry:
    """One stored event. What is asked of it is worked out once: its attributes, its data, its text."""

    __slots__ = ("_attributes", "_data", "_frames", "_row", "event", "fault", "ms", "position")

    def __init__(self, row: "Record") -> None:
        self._row = row
        self.position = Position(row["xid"], row["uid"])
        self.ms = self.position.ms
        self.fault = unreadable(row)
        self.event = stored_event(row)
        self._attributes: Attributes | None = None
        self._data: EventData | None = None
        self._frames: dict[bool, bytes] = {}

    @property
    def facets(self) -> dict[str, Any]:
        """The values that its type declares."""
        return self._row["facets"] or {}

    @property
    def producer(self) -> str | None:
        """The credential that sent it."""
        producer: str | None = self._row["producer"]
        return producer

    @property
    def schema_fault(self) -> str | None:
        """What a schema that only warns had against it."""
        fault: str | None = self._row["schema_fault"]
        return fault

    @property
    def attributes(self) -> "Attributes":
        """What filters see."""
        if self._attributes is None:
            self._attributes = self.event.attributes()
        return self._attributes

    @property
    def data(self) -> "EventData":
        """What filters that see data see."""
        if self._data is None:
            from shared.core.filters import data_of

            self._data = data_of(self.event)
        return self._data

    def frame(self, data_max_bytes: int | None) -> bytes:
        """The event as it is sent, its data left out where that is larger."""
        with_data = data_max_bytes is None or len(self.event.data or b"") <= data_max_bytes
        frame = self._frames.get(with_data)
        if frame is None:
            frame = self._frames[with_data] = self._written(with_data=with_data)
        return frame

    def _written(self, *, with_data: bool) -> bytes:
        from shared.core.cloudevents import DataKind, to_json

        event = self.event if with_data else replace(self.event, data=None, data_kind=DataKind.NONE)
        body = {
            "uid": self.position.uid,
            "receivedAt": instant(self.ms),
            "event": msgspec.Raw(to_json(event)),
            "dataSize": self._row["data_size"],
            "dataLeftOut": not with_data,
            "facets": self._row["facets"],
            "schemaFault": self.schema_fault,
            "fault": self.fault,
        }
        return message(None, str(self.position), msgspec.json.encode(body))
