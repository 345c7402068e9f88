"""JSON pointers (RFC 6901)."""

import re
from collections.abc import Iterable
from typing import Any, Final

MISSING: Final = object()
"""What `find` gives where a document has nothing."""

_BAD_ESCAPE = re.compile(r"~(?![01])").search
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII).fullmatch


class InvalidPointer(ValueError):
    """Not a JSON pointer; the message says why."""


def read_pointer(text: str) -> tuple[str, ...]:
    """The reference tokens of a pointer (section 3), "" has none. Raises InvalidPointer."""
    if not text:
        return ()
    if not text.startswith("/"):
        raise InvalidPointer("must be a JSON pointer (RFC 6901): empty, or beginning with /")
    if _BAD_ESCAPE(text):
        raise InvalidPointer("must be a JSON pointer (RFC 6901): ~ is written ~0, and / inside a name ~1")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def write_pointer(parts: Iterable[str | int]) -> str:
    """The pointer with these reference tokens."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def find(parts: Iterable[str], document: Any) -> Any:
    """The value at a pointer (section 4), or MISSING. `-`, the element after the last, is never there."""
    for part in parts:
        if type(document) is dict:
            document = document.get(part, MISSING)
        elif type(document) is list and _INDEX(part) and int(part) < len(document):
            document = document[int(part)]
        else:
            return MISSING
    return document
