"""Server-sent events as they are written (WHATWG HTML, section 9.2): pure."""

import re
from typing import Any

import msgspec

_LINE = re.compile(rb"\r\n|\r|\n")


def message(kind: str | None, place: str | None, data: bytes) -> bytes:
    """One message with its `id`. Lines of `data` are told apart by LF afterwards, which JSON does not mind."""
    head = (f"event: {kind}\n" if kind else "") + (f"id: {place}\n" if place else "")
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE.split(data))
    return b"%bdata: %b\n\n" % (head.encode(), data)


def told(kind: str, place: str | None, **members: Any) -> bytes:
    """A message of our own, with its members as JSON."""
    return message(kind, place, msgspec.json.encode(members))


def beat(place: str | None) -> bytes:
    """Keeps a connection open, and moves on where the reader goes on from; nothing is told to whoever listens."""
    return b": still here\n\n" if place is None else f": still here\nid: {place}\n\n".encode()
