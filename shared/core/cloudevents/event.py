"""An event in memory, and what may be wrong with one."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum

Value = str | int | bool


class InvalidEvent(Exception):
    """Not a CloudEvent. `pointer` names the attribute (`/time`), "" or None the whole message."""

    def __init__(self, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


class OversizedBatch(Exception):
    """A batch of more elements than are wanted; no more of it was read."""


class OversizedEvent(InvalidEvent):
    """An element of a batch that is too large to be looked at."""


class UnsupportedFormat(Exception):
    """A CloudEvents media type that is not read here: HTTP 415 (http-webhook.md, section 2.2)."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Mode(Enum):
    """The content modes of the HTTP protocol binding (section 1.3)."""

    BINARY = "binary"
    STRUCTURED = "structured"
    BATCH = "batch"


class DataKind(IntEnum):
    """What the bytes in `Event.data` are; stored with the event."""

    NONE = 0
    """No data at all."""
    JSON = 1
    """One JSON text in UTF-8, kept verbatim: the `data` member of the JSON format."""
    TEXT = 2
    """A text in UTF-8: a string in the JSON format."""
    BINARY = 3
    """Anything else: `data_base64` in the JSON format."""


@dataclass(slots=True)
class Event:
    """One CloudEvent of version 1.0 or 0.3, as it was said.

    `time` keeps its text, so that no digit is lost. `extensions` has every attribute that has no field of
    its own, of version 0.3 also `schemaurl` and `datacontentencoding`. `data` is None exactly when
    `data_kind` is NONE.
    """

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: dict[str, Value] = field(default_factory=dict)
    data: bytes | None = None
    data_kind: DataKind = DataKind.NONE

    def attributes(self) -> dict[str, Value]:
        """Every context attribute that is present, by name: what filters see."""
        present: dict[str, Value] = {
            "specversion": self.specversion,
            "id": self.id,
            "source": self.source,
            "type": self.type,
        }
        if self.subject is not None:
            present["subject"] = self.subject
        if self.time is not None:
            present["time"] = self.time
        if self.datacontenttype is not None:
            present["datacontenttype"] = self.datacontenttype
        if self.dataschema is not None:
            present["dataschema"] = self.dataschema
        if self.extensions:
            present.update(self.extensions)
        return present
