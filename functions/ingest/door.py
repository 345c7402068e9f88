"""`POST /in/{project}`: plain ASGI, because what FastAPI does for a request costs more than storing it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import Receive, Scope, Send

from functions.ingest.batch import take_batch
from functions.ingest.callers import Callers
from functions.ingest.committer import Committer
from functions.ingest.doorstep import Doorsteps
from functions.ingest.handshake import shake
from functions.ingest.limits import Limits
from functions.ingest.requests import (
    Disconnected,
    credential,
    is_lenient,
    query_token,
    read_body,
    structured_bytes,
    too_large,
)
from functions.ingest.rows import Stored
from functions.ingest.settings import IngestSettings
from shared.auth.access import Access
from shared.core.cloudevents import Event, InvalidEvent, Mode, UnsupportedFormat, content_mode, parse
from shared.core.patterns import matches_any
from shared.core.problems import (
    FORBIDDEN,
    METHOD_NOT_ALLOWED,
    NOT_A_CLOUDEVENT,
    NOT_FOUND,
    UNSUPPORTED_FORMAT,
    Fault,
    Problem,
)
from shared.runtime.answer import problem_response
from shared.runtime.resources import Resources

ALLOW = "POST, OPTIONS"
JSON = (b"content-type", b"application/json")
PRIVATE = (b"cache-control", b"private")
"""What a success carries whose credential was in the query (RFC 6750, section 2.3)."""


class Door:
    """Answers everything below `/in/`."""

    def __init__(self, resources: Resources, settings: IngestSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._committer = Committer(resources, settings)
        self._doorsteps = Doorsteps(resources)
        self._callers = Callers(resources, self._doorsteps)
        self._limits = Limits(resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises whatever is to become a problem."""
        method = scope["method"]
        project, _, source = scope["path"].removeprefix("/in/").partition("/")
        if method == "OPTIONS":
            await _answer(send, 200, b"", await shake(self._doorsteps, unquote(project), scope["headers"]))
            return
        if method != "POST":
            problem = Problem(METHOD_NOT_ALLOWED, "Events are sent by POST.", headers={"Allow": ALLOW})
            await problem_response(problem)(scope, receive, send)
            return
        if source or not project:
            raise Problem(NOT_FOUND, "There is nothing at this address.")
        try:
            headers, body = await self._take(scope, receive, unquote(project))
        except Disconnected:
            return
        if scope["query_string"] and query_token(scope["query_string"]) is not None:
            headers = [*headers, PRIVATE]
        await _answer(send, 202, body, headers)

    async def _take(
        self, scope: Scope, receive: Receive, project: str
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        access = await self._callers.access(credential(headers, scope["query_string"]), project)
        try:
            mode = content_mode(headers)
            if mode is Mode.BATCH:
                return await self._take_batch(headers, receive, access)
            answer = [JSON, *await self._limited(access, 1)]
            limit = self._settings.event_max_bytes
            if mode is Mode.STRUCTURED:
                limit = structured_bytes(limit)
            body = await read_body(receive, _content_length(headers), limit, "An event")
            event = parse(headers, body)
        except InvalidEvent as error:
            raise invalid(error) from None
        except UnsupportedFormat as error:
            raise Problem(UNSUPPORTED_FORMAT, error.detail) from None
        if (refused := self._objection(access, event)) is not None:
            raise refused
        (stored,) = await self._committer.store(access.project_id, access.principal, (event,))
        tail = b'","duplicate":true}' if stored.duplicate else b'","duplicate":false}'
        return answer, b'{"uid":"' + str(stored.uid).encode() + tail

    async def _take_batch(
        self, headers: list[tuple[bytes, bytes]], receive: Receive, access: Access
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        limit = self._settings.batch_max_bytes
        body = await read_body(receive, _content_length(headers), limit, "A batch")
        lenient = is_lenient(value for name, value in headers if name == b"prefer")
        answer = [JSON, (b"preference-applied", b"handling=lenient")] if lenient else [JSON]

        async def store(events: Sequence[Event]) -> list[Stored]:
            answer.extend(await self._limited(access, len(events)))
            return await self._committer.store(access.project_id, access.principal, events)

        results: list[dict[str, Any]] = await take_batch(
            body,
            store,
            lambda event: self._objection(access, event),
            limit=self._settings.batch_max_events,
            lenient=lenient,
        )
        return answer, msgspec.json.encode({"results": results})

    async def _limited(self, access: Access, cost: int) -> list[tuple[bytes, bytes]]:
        """Count so many events; what the answer says of the limit. Raises Problem 429."""
        if access.limit is None:
            return []
        return await self._limits.enter(access.bucket, access.limit, cost)

    def _objection(self, access: Access, event: Event) -> Problem | None:
        """Why an event cannot be taken, beside not being one."""
        if event.data is not None and len(event.data) > self._settings.event_max_bytes:
            return too_large("An event", self._settings.event_max_bytes)
        return refusal(access, event)


def invalid(error: InvalidEvent) -> Problem:
    """400, with a pointer where one is known."""
    errors = [Fault(error.pointer, error.detail)] if error.pointer else []
    return Problem(NOT_A_CLOUDEVENT, error.detail, errors=errors)


def refusal(access: Access, event: Event) -> Problem | None:
    """403 when the event's source or type is not this credential's, or not its producer's."""
    for by in (access, access.producer):
        if by is None:
            continue
        if by.sources and not matches_any(by.sources, event.source):
            return Problem(
                FORBIDDEN,
                "This credential may not send events of this source.",
                errors=[Fault("/source", f"{event.source} fits none of its patterns")],
            )
        if by.types and not matches_any(by.types, event.type):
            return Problem(
                FORBIDDEN,
                "This credential may not send events of this type.",
                errors=[Fault("/type", f"{event.type} fits none of its patterns")],
            )
    return None


def _content_length(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == b"content-length":
            return value
    return None


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
