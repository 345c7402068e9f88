"""Finding events in the archive, and telling whether it is whole."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from hashlib import sha256
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.archive.lines import Line, event_of
from shared.archive.parts import Frame, Part, lines_of, may_be_in, read_index
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.archive.wanted import Wanted
from shared.archive.zstd import Error as ZstdError

DAMAGE = (ZstdError, msgspec.DecodeError, ValueError)
"""What reading an object raises that is not what it was."""


class Damaged(Exception):
    """An object is not what it was when it was written. The text says which, and how one can tell."""


async def index_of(store: Store, part: Part) -> list[Frame]:
    """The frames of an object. Raises Damaged, MissingObject, StoreFailed."""
    tail = await store.get_range(part.key, part.index_at, part.packed_bytes - part.index_at)
    try:
        return read_index(tail)
    except DAMAGE as error:
        raise Damaged(f"{part.key}: its index cannot be read") from error


async def lines_in(store: Store, part: Part, frame: Frame) -> list[Line]:
    """The lines of a frame. Raises Damaged, MissingObject, StoreFailed."""
    packed = await store.get_range(part.key, frame.at, frame.length)
    try:
        return await asyncio.to_thread(lambda: list(lines_of(packed)))
    except DAMAGE as error:
        raise Damaged(f"{part.key}: the frame at {frame.at} cannot be read") from error


async def find(store: Store, parts: Iterable[Part], uid: UUID) -> Line | None:
    """The archived event of that uid. Raises Damaged, MissingObject, StoreFailed."""
    for part in parts:
        if part.first_uid <= uid <= part.last_uid:
            for frame in await index_of(store, part):
                if frame.first <= uid <= frame.last:
                    return next(
                        (line for line in await lines_in(store, part, frame) if line.uid == uid), None
                    )
    return None


async def forward(store: Store, part: Part, wanted: Wanted) -> AsyncIterator[list[Line]]:
    """The wanted lines of an object, oldest first, a frame at a time. Raises Damaged, MissingObject, StoreFailed."""
    for frame in await index_of(store, part):
        if _may_have(frame, wanted):
            yield [
                line for line in await lines_in(store, part, frame) if wanted.has(line.uid, event_of(line))
            ]


class Page(NamedTuple):
    """Lines, newest first; where to go on, None at the end; how many events were looked through."""

    lines: list[Line]
    next: UUID | None
    searched: int


async def newest(
    store: Store, parts: Sequence[Part], wanted: Wanted, limit: int, *, seconds: float, frames: int
) -> Page:
    """The newest `limit` of the wanted events; fewer, after `seconds` or so many frames. `parts` are newest first.

    Raises Damaged, MissingObject, StoreFailed.
    """
    found: list[Line] = []
    searched = read = 0
    ends_at = monotonic() + seconds
    for part in parts:
        if not wanted.touches(part.first_uid, part.last_uid):
            continue
        for frame in reversed(await index_of(store, part)):
            if not wanted.touches(frame.first, frame.last):
                continue
            if read and (read >= frames or monotonic() >= ends_at):
                # All above was looked through: what is left lies below the uid after this frame's last.
                return Page(found, UUID(int=frame.last.int + 1), searched)
            if not may_be_in(frame, type=wanted.type, id=wanted.id, subject=wanted.subject):
                searched += frame.events
                continue
            read += 1
            for line in reversed(await lines_in(store, part, frame)):
                searched += 1
                if wanted.has(line.uid, event_of(line)):
                    found.append(line)
                    if len(found) == limit:
                        return Page(found, line.uid, searched)
    return Page(found, None, searched)


async def fault_of(store: Store, part: Part) -> str | None:
    """What is wrong with an object: all of it is read, added up and decompressed. Raises StoreFailed."""
    digest, size = sha256(), 0
    pieces: list[bytes] = []
    try:
        async for piece in store.stream(part.key):
            digest.update(piece)
            size += len(piece)
            pieces.append(piece)
    except MissingObject:
        return "it is not there"
    if size != part.packed_bytes:
        return f"it has {size} bytes and not {part.packed_bytes}"
    if digest.digest() != part.sha256:
        return "its checksum is another"
    try:
        events = await asyncio.to_thread(_count, b"".join(pieces), part)
    except DAMAGE:
        return "it cannot be read"
    return None if events == part.events else f"it has {events} events and not {part.events}"


def _count(content: bytes, part: Part) -> int:
    """How many events are in an object, which are looked at one by one; and in the index."""
    return sum(1 for frame in read_index(content[part.index_at :]) for _ in _lines(content, frame))


def _lines(content: bytes, frame: Frame) -> list[Line]:
    lines = list(lines_of(content[frame.at : frame.at + frame.length]))
    if len(lines) != frame.events or (lines[0].uid, lines[-1].uid) != (frame.first, frame.last):
        raise ValueError("a frame has other lines than the index says")
    for line in lines:
        event_of(line)
    return lines


def _may_have(frame: Frame, wanted: Wanted) -> bool:
    return wanted.touches(frame.first, frame.last) and may_be_in(
        frame, type=wanted.type, id=wanted.id, subject=wanted.subject
    )


__all__ = [
    "DAMAGE",
    "Damaged",
    "Page",
    "StoreFailed",
    "fault_of",
    "find",
    "forward",
    "index_of",
    "lines_in",
    "newest",
]
