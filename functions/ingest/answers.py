"""What the door writes: put together as bytes, because that is cheapest."""

from starlette.types import Send

from shared.intake.rows import Stored

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")

PRIVATE = (b"cache-control", b"private")
"""What a success carries whose credential was in the query (RFC 6750, section 2.3)."""


def accepted(stored: Stored) -> bytes:
    """The body of the answer to one event."""
    tail = b'","duplicate":true}' if stored.duplicate else b'","duplicate":false}'
    return b'{"uid":"' + str(stored.uid).encode() + tail


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """Send an answer."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
