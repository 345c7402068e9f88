"""`POST /in/…`: plain ASGI, because what FastAPI does for a request costs more than storing it."""

from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.types import Receive, Scope, Send

from functions.ingest.answers import JSON, PRIVATE, Headers, accepted, answer
from functions.ingest.batch import take_batch
from functions.ingest.callers import Callers
from functions.ingest.handshake import shake
from functions.ingest.limits import Limits
from functions.ingest.projects import Projects
from functions.ingest.requests import (
    Disconnected,
    address_in,
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
from shared.auth.access import Access
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
from shared.intake.committer import Committer
from shared.intake.rows import Note, Stored
from shared.intake.settings import structured_bytes
from shared.intake.types import Types
from shared.runtime.answer import problem_response
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from functions.ingest.webhook import Webhooks

ALLOW = "POST, OPTIONS"


class Door:
    """Answers everything below `/in/`."""

    def __init__(self, resources: Resources, settings: IngestSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._committer = Committer(resources, settings)
        self._projects = Projects(resources)
        self._callers = Callers(resources, self._projects)
        self._limits = Limits(resources)
        self._types = Types(resources)
        self._room = Room(max(settings.bodies_max_bytes, settings.batch_max_bytes))
        self._webhooks: Webhooks | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises whatever is to become a problem."""
        method = scope["method"]
        project, _, source = scope["path"].removeprefix("/in/").partition("/")
        if method == "OPTIONS":
            await answer(send, 200, b"", await shake(self._projects, project, scope["headers"]))
            return
        if method != "POST":
            problem = Problem(METHOD_NOT_ALLOWED, "Events are sent by POST.", headers={"Allow": ALLOW})
            await problem_response(problem)(scope, receive, send)
            return
        if not project or "/" in source:
            raise Problem(NOT_FOUND, "There is nothing at this address.")
        status, since = 202, perf_counter()
        try:
            if source:
                status, headers, body = await self._hooks().take(scope, receive, project, source, since=since)
            else:
                headers, body = await self._take(scope, receive, project, since)
                if scope["query_string"] and query_token(scope["query_string"]) is not None:
                    headers = [*headers, PRIVATE]
        except Disconnected:
            return
        await answer(send, status, body, headers)

    def _hooks(self) -> "Webhooks":
        """What takes webhooks, made when the first one comes: most processes never get one."""
        if self._webhooks is None:
            from functions.ingest.webhook import Webhooks

            self._webhooks = Webhooks(
                self._resources,
                self._settings,
                self._committer,
                self._types,
                refusal,
                limits=self._limits,
                room=self._room,
            )
        return self._webhooks

    async def _take(
        self, scope: Scope, receive: Receive, project: str, since: float
    ) -> tuple[Headers, bytes]:
        headers: Headers = scope["headers"]
        access = await self._callers.access(
            credential(headers, scope["query_string"]),
            project,
            partial(address_in, scope, self._resources),
        )
        try:
            content_type = content_type_of(headers)
            mode = mode_of(content_type)
            if mode is Mode.BATCH:
                return await self._take_batch(headers, receive, access, since)
            answered = [JSON, *await self._limited(access, 1)]
            limit = self._settings.event_max_bytes
            if mode is Mode.STRUCTURED:
                limit = structured_bytes(limit)
            body = await read_body(receive, content_length(headers), limit, "An event", self._room)
            event = parse_in(mode, content_type, headers, body)
        except InvalidEvent as error:
            raise invalid(error) from None
        except UnsupportedFormat as error:
            raise Problem(UNSUPPORTED_FORMAT, error.detail) from None
        if (refused := self._objection(access, event)) is not None:
            raise refused
        notes = await self._types.note(access.project_id, event)
        (stored,) = await self._committer.store(
            access.project_id, access.principal, (event,), notes, since=since
        )
        return answered, accepted(stored)

    async def _take_batch(
        self, headers: Headers, receive: Receive, access: Access, since: float
    ) -> tuple[Headers, bytes]:
        limit = self._settings.batch_max_bytes
        lenient = is_lenient(value for name, value in headers if name == b"prefer")
        answered = [JSON, (b"preference-applied", b"handling=lenient")] if lenient else [JSON]

        async def store(events: Sequence[Event], notes: Sequence[Note]) -> list[Stored]:
            answered.extend(await self._limited(access, len(events)))
            return await self._committer.store(
                access.project_id, access.principal, events, notes, size=place.size, since=since
            )

        with self._room.place() as place:
            results: list[dict[str, Any]] = await take_batch(
                read_chunks(receive, content_length(headers), limit, "A batch", place),
                store,
                lambda event: self._objection(access, event),
                lambda events: self._types.judge(access.project_id, events),
                limit=self._settings.batch_max_events,
                event_limit=structured_bytes(self._settings.event_max_bytes),
                lenient=lenient,
            )
        return answered, msgspec.json.encode({"results": results})

    async def _limited(self, access: Access, cost: int) -> Headers:
        """Count so many events; what the answer says of the limit. Raises Problem 429."""
        if access.limit is None:
            return []
        return await self._limits.enter(access.bucket, access.limit, cost)

    def _objection(self, access: Access, event: Event) -> Problem | None:
        """Why an event cannot be taken, beside not being one."""
        if event.data is not None and len(event.data) > self._settings.event_max_bytes:
            return too_large("An event", self._settings.event_max_bytes)
        return refusal(access, event)


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
