"""`POST /in/…`: plain ASGI, because what FastAPI does for a request costs more than storing it."""

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from starlette.types import Receive, Scope, Send

from functions.ingest.batch import take_batch
from functions.ingest.committer import Committer
from functions.ingest.requests import (
    PRIVATE,
    Disconnected,
    content_length,
    credential,
    invalid,
    is_lenient,
    query_token,
    read_body,
    read_chunks,
    too_large,
)
from functions.ingest.room import Room
from functions.ingest.settings import IngestSettings
from shared.auth.access import Access, authorize
from shared.core.cloudevents import (
    Event,
    InvalidEvent,
    Mode,
    UnsupportedFormat,
    content_type_of,
    mode_of,
    parse_in,
)
from shared.core.patterns import matches_any
from shared.core.problems import (
    FORBIDDEN,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNSUPPORTED_FORMAT,
    Fault,
    Problem,
)
from shared.runtime.answer import problem_response
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from functions.ingest.webhook import Webhooks

ALLOW = "POST, OPTIONS"
PERMISSION = "events:write"
JSON = (b"content-type", b"application/json")


class Door:
    """Answers everything below `/in/`."""

    def __init__(self, resources: Resources, settings: IngestSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._committer = Committer(resources, settings)
        self._room = Room(max(settings.bodies_max_bytes, settings.batch_max_bytes))
        self._webhooks: Webhooks | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises whatever is to become a problem."""
        method = scope["method"]
        if method == "OPTIONS":
            await _answer(send, 200, b"", handshake(scope))
            return
        if method != "POST":
            problem = Problem(METHOD_NOT_ALLOWED, "Events are sent by POST.", headers={"Allow": ALLOW})
            await problem_response(problem)(scope, receive, send)
            return
        project, _, source = scope["path"].removeprefix("/in/").partition("/")
        if not project or "/" in source:
            raise Problem(NOT_FOUND, "There is nothing at this address.")
        status = 202
        try:
            if source:
                status, headers, body = await self._hooks().take(scope, receive, project, source)
            else:
                headers, body = await self._take(scope, receive, unquote(project))
                if scope["query_string"] and query_token(scope["query_string"]) is not None:
                    headers = [*headers, PRIVATE]
        except Disconnected:
            return
        await _answer(send, status, body, headers)

    def _hooks(self) -> "Webhooks":
        """What takes webhooks, made when the first one comes: most processes never get one."""
        if self._webhooks is None:
            from functions.ingest.webhook import Webhooks

            self._webhooks = Webhooks(
                self._resources, self._settings, self._committer, refusal, room=self._room
            )
        return self._webhooks

    async def _take(
        self, scope: Scope, receive: Receive, project: str
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        access = await authorize(
            self._resources, credential(headers, scope["query_string"]), project, PERMISSION
        )
        try:
            content_type = content_type_of(headers)
            mode = mode_of(content_type)
            if mode is Mode.BATCH:
                return await self._take_batch(headers, receive, access)
            limit = self._settings.event_max_bytes
            body = await read_body(receive, content_length(headers), limit, "An event", self._room)
            event = parse_in(mode, content_type, headers, body)
        except InvalidEvent as error:
            raise invalid(error) from None
        except UnsupportedFormat as error:
            raise Problem(UNSUPPORTED_FORMAT, error.detail) from None
        if (refused := refusal(access, event)) is not None:
            raise refused
        (stored,) = await self._committer.store(access.project_id, access.principal, (event,))
        tail = b'","duplicate":true}' if stored.duplicate else b'","duplicate":false}'
        return [JSON], b'{"uid":"' + str(stored.uid).encode() + tail

    async def _take_batch(
        self, headers: list[tuple[bytes, bytes]], receive: Receive, access: Access
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        limit = self._settings.batch_max_bytes
        lenient = is_lenient(value for name, value in headers if name == b"prefer")
        with self._room.place() as place:
            results: list[dict[str, Any]] = await take_batch(
                read_chunks(receive, content_length(headers), limit, "A batch", place),
                lambda events: self._committer.store(access.project_id, access.principal, events),
                lambda event: self._objection(access, event),
                limit=self._settings.batch_max_events,
                lenient=lenient,
            )
        answer = [JSON, (b"preference-applied", b"handling=lenient")] if lenient else [JSON]
        return answer, msgspec.json.encode({"results": results})

    def _objection(self, access: Access, event: Event) -> Problem | None:
        """Why an event of a batch cannot be taken, beside not being one."""
        if event.data is not None and len(event.data) > self._settings.event_max_bytes:
            return too_large("An event", self._settings.event_max_bytes)
        return refusal(access, event)


def refusal(access: Access, event: Event) -> Problem | None:
    """403 when the event's source or type is not this producer's."""
    if access.sources and not matches_any(access.sources, event.source):
        return Problem(
            FORBIDDEN,
            "This credential may not send events of this source.",
            errors=[Fault("/source", f"{event.source} fits none of its patterns")],
        )
    if access.types and not matches_any(access.types, event.type):
        return Problem(
            FORBIDDEN,
            "This credential may not send events of this type.",
            errors=[Fault("/type", f"{event.type} fits none of its patterns")],
        )
    return None


def handshake(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The validation hand-shake (http-webhook.md, section 4): any origin may send, at any rate.

    A callback that the request asks for is not called: the answer itself grants the permission.
    """
    headers = [(b"allow", ALLOW.encode())]
    if any(name == b"webhook-request-origin" for name, _ in scope["headers"]):
        headers += [(b"webhook-allowed-origin", b"*"), (b"webhook-allowed-rate", b"*")]
    return headers


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
