"""Where a list goes on: opaque to clients, so that it may change."""

import base64
import binascii
import json

from shared.core.problems import INVALID, Fault, Problem


def encode_cursor(*parts: str) -> str:
    """A cursor that `decode_cursor` reads."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[str]:
    """The `length` parts of a cursor. Raises Problem 422."""
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise unreadable() from None
    if not isinstance(parts, list) or len(parts) != length or not all(map(_is_plain, parts)):
        raise unreadable()
    return parts


def _is_plain(part: object) -> bool:
    return isinstance(part, str) and part.isascii() and part.isprintable()


def unreadable() -> Problem:
    """What to answer for a cursor that is none of ours."""
    return Problem(
        INVALID,
        "The cursor cannot be read.",
        errors=[Fault("/query/cursor", "is not one that a list answered as `next`")],
    )
