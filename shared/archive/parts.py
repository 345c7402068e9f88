"""An object of the archive: frames of lines, each by itself, and an index that says what is in which.

Whoever decompresses the whole of it (`zstd -d`) gets the lines, in the order of their uids: the index stands in a
frame that decoders pass over. Whoever looks for one event reads the index and one frame.
"""

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

import msgspec

from shared.archive.lines import Line, read_line
from shared.archive.marks import marks_of, may_have
from shared.archive.zstd import compress, content_of, decompress, skippable

FRAME_BYTES = 512 * 1024
"""Of lines in one frame: what is read, and decompressed, to show one event."""

PART_BYTES = 16 * 1024 * 1024
"""Of frames in one object, about: what a process that is killed has to do again, and what it holds in memory."""


class Frame(msgspec.Struct, rename="camel", frozen=True):
    """What the index says of a frame. `marks` tells which ids and subjects may be in it, `types` which types are."""

    at: int
    length: int
    events: int
    first: UUID
    last: UUID
    types: list[str]
    marks: bytes


class Part(msgspec.Struct, rename="camel", frozen=True):
    """An object, as the manifest and the database have it. Sizes are in bytes, `sha256` is of all of the object."""

    number: int
    key: str
    events: int
    packed_bytes: int
    raw_bytes: int
    sha256: bytes
    index_at: int
    first_uid: UUID
    last_uid: UUID


_index = msgspec.json.Decoder(list[Frame]).decode


def id_mark(text: str) -> str:
    """How an event's `id` is looked for among the marks."""
    return f"i{text}"


def subject_mark(text: str) -> str:
    """How a subject is."""
    return f"s{text}"


class PartWriter:
    """Gathers lines, in the order of their uids, to one object."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._frames: list[Frame] = []
        self._lines: list[bytes] = []
        self._uids: list[UUID] = []
        self._types: set[str] = set()
        self._marks: list[str] = []
        self._gathered = 0
        self.packed_bytes = 0
        self.raw_bytes = 0
        self.events = 0

    def add(self, uid: UUID, line: bytes, *, event_type: str, event_id: str, subject: str | None) -> None:
        """Take one line."""
        self._lines.append(line)
        self._uids.append(uid)
        self._types.add(event_type)
        self._marks.append(id_mark(event_id))
        if subject is not None:
            self._marks.append(subject_mark(subject))
        self._gathered += len(line)
        if self._gathered >= FRAME_BYTES:
            self._end_frame()

    @property
    def is_full(self) -> bool:
        """Whether the object is large enough."""
        return self.packed_bytes >= PART_BYTES

    @property
    def is_empty(self) -> bool:
        """Whether there is no line in it."""
        return not self._uids and not self._frames

    def end(self, number: int, key: str) -> tuple[Part, bytes]:
        """The object, which is not empty, and what is to be said of it."""
        self._end_frame()
        index = skippable(compress(msgspec.json.encode(self._frames)))
        content = b"".join((*self._packed, index))
        part = Part(
            number=number,
            key=key,
            events=self.events,
            packed_bytes=len(content),
            raw_bytes=self.raw_bytes,
            sha256=sha256(content).digest(),
            index_at=self.packed_bytes,
            first_uid=self._frames[0].first,
            last_uid=self._frames[-1].last,
        )
        return part, content

    def _end_frame(self) -> None:
        if not self._lines:
            return
        packed = compress(b"".join(self._lines))
        self._frames.append(
            Frame(
                at=self.packed_bytes,
                length=len(packed),
                events=len(self._lines),
                first=self._uids[0],
                last=self._uids[-1],
                types=sorted(self._types),
                marks=marks_of(self._marks),
            )
        )
        self._packed.append(packed)
        self.packed_bytes += len(packed)
        self.raw_bytes += self._gathered
        self.events += len(self._lines)
        self._lines, self._uids, self._types, self._marks, self._gathered = [], [], set(), [], 0


def read_index(tail: bytes) -> list[Frame]:
    """The frames of an object, of its bytes from `index_at` on. Raises ValueError, or zstd's error."""
    return _index(decompress(content_of(tail)))


def lines_of(packed: bytes) -> Iterator[Line]:
    """The lines in frames, in their order. Raises zstd's error, or msgspec.DecodeError."""
    for text in decompress(packed).splitlines():
        yield read_line(text)


def may_be_in(frame: Frame, *, type: str | None, id: str | None, subject: str | None) -> bool:  # noqa: A002
    """Whether an event with these attributes may be in a frame; None is any."""
    return (
        (type is None or type in frame.types)
        and (id is None or may_have(frame.marks, id_mark(id)))
        and (subject is None or may_have(frame.marks, subject_mark(subject)))
    )
