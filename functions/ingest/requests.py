"""What the door reads of a request before it looks at the event."""

from collections.abc import AsyncIterator, Iterable
from urllib.parse import unquote_plus

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope

from functions.ingest.room import Place, Room
from shared.auth.client import address_of
from shared.core.cloudevents import InvalidEvent
from shared.core.problems import MALFORMED, NOT_A_CLOUDEVENT, TOO_LARGE, Fault, Problem
from shared.runtime.resources import Resources

Headers = Iterable[tuple[bytes, bytes]]


class Disconnected(Exception):
    """The client went away before its request was complete; nobody waits for an answer."""


def invalid(error: InvalidEvent) -> Problem:
    """400, with a pointer where one is known."""
    errors = [Fault(error.pointer, error.detail)] if error.pointer else []
    return Problem(NOT_A_CLOUDEVENT, error.detail, errors=errors)


def too_large(what: str, limit: int, unit: str = "bytes") -> Problem:
    """413, saying what may be sent."""
    return Problem(TOO_LARGE, f"{what} may have at most {limit} {unit}.")


async def read_body(receive: Receive, declared: bytes | None, limit: int, what: str, room: Room) -> bytes:
    """The body, if it has at most `limit` bytes. `declared` is Content-Length; chunks are counted as they come.

    Raises Problem 413, 503 where there is no `room`, and Disconnected.
    """
    check_declared(declared, limit, what)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        with room.place() as place:
            chunks = [chunk async for chunk in _chunks(receive, message, limit, what, place)]
        return b"".join(chunks)
    if message["type"] == "http.disconnect":
        raise Disconnected
    if len(body) > limit:
        raise too_large(what, limit)
    return body


async def read_chunks(
    receive: Receive, declared: bytes | None, limit: int, what: str, place: Place
) -> AsyncIterator[bytes]:
    """The same, chunk by chunk; the caller keeps the `place` as long as it keeps what came of them."""
    check_declared(declared, limit, what)
    async for chunk in _chunks(receive, await receive(), limit, what, place):
        yield chunk


def check_declared(declared: bytes | None, limit: int, what: str) -> None:
    """Raise Problem 413 where Content-Length says more than `limit`."""
    if declared is not None and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise too_large(what, limit)


async def _chunks(
    receive: Receive, message: Message, limit: int, what: str, place: Place
) -> AsyncIterator[bytes]:
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(what, limit)
        place.add(len(chunk))
        yield chunk
        if not message.get("more_body"):
            return
        message = await receive()


def is_lenient(preferences: Iterable[bytes]) -> bool:
    """Whether the Prefer headers (RFC 7240) ask for `handling=lenient`; the first `handling` counts."""
    for header in preferences:
        for preference in header.decode("latin-1").split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            if name.strip().lower() == "handling":
                return value.strip().strip('"').lower() == "lenient"
    return False


def address_in(scope: Scope, resources: Resources) -> str | None:
    """The address that a request came from; None where there is none."""
    return address_of(HTTPConnection(scope), resources.settings.proxy_networks) or None


def credential(headers: Headers, query: bytes = b"") -> str | None:
    """The Authorization header, or what it would be for an `access_token` in the query (RFC 6750, section 2).

    Raises Problem 400 for two credentials: which of them was meant nobody can know.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            if found is not None:
                raise Problem(MALFORMED, "Authorization is there more than once.")
            found = value
    if query and (token := query_token(query)) is not None:
        if found is not None:
            raise Problem(
                MALFORMED, "Send one credential: in Authorization, or as access_token in the query."
            )
        return f"Bearer {token}"
    return None if found is None else found.decode("latin-1")


def query_token(query: bytes) -> str | None:
    """The `access_token` of a query (RFC 6750, section 2.3). Raises Problem 400 for two."""
    found: bytes | None = None
    for parameter in query.split(b"&"):
        name, _, value = parameter.partition(b"=")
        if name == b"access_token":
            if found is not None:
                raise Problem(MALFORMED, "access_token is there more than once.")
            found = value
    return None if found is None else unquote_plus(found.decode("latin-1"))


def content_length(headers: Headers) -> bytes | None:
    """The Content-Length header."""
    for name, value in headers:
        if name == b"content-length":
            return value
    return None
