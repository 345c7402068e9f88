"""`POST /in/{project}/{source}`: what a third party sends, once its signature was checked, as an event."""

import time
from collections.abc import Callable
from functools import partial

from starlette.types import Receive, Scope

from functions.ingest.answers import JSON, PRIVATE, Headers, accepted
from functions.ingest.limits import Limits
from functions.ingest.projects import PERMISSION
from functions.ingest.requests import (
    address_in,
    content_length,
    credential,
    invalid,
    query_token,
    read_body,
    too_large,
)
from functions.ingest.room import Room
from functions.ingest.settings import IngestSettings
from functions.ingest.sources import Source, Sources
from shared.auth.access import Access
from shared.auth.authority import authorize
from shared.core.cloudevents import (
    Event,
    InvalidEvent,
    Mode,
    UnsupportedFormat,
    content_mode,
    parse,
)
from shared.core.problems import NOT_FOUND, UNAUTHENTICATED, UNSUPPORTED_FORMAT, Problem
from shared.core.webhooks.mapping import Request, answer_of, to_event
from shared.core.webhooks.verify import Signed, has_token, verify
from shared.intake.committer import Committer
from shared.intake.settings import structured_bytes
from shared.intake.types import Types
from shared.runtime.resources import Resources

Answer = tuple[int, Headers, bytes]

BEARER = {"WWW-Authenticate": "Bearer"}

Refusal = Callable[[Access, Event], Problem | None]


class Webhooks:
    """Takes the requests of third parties in. `refusal` judges events that an API key brought."""

    def __init__(
        self,
        resources: Resources,
        settings: IngestSettings,
        committer: Committer,
        types: Types,
        refusal: Refusal,
        *,
        limits: Limits,
        room: Room,
    ) -> None:
        self._resources = resources
        self._settings = settings
        self._committer = committer
        self._types = types
        self._room = room
        self._refusal = refusal
        self._limits = limits
        self._sources = Sources(resources)

    async def take(
        self, scope: Scope, receive: Receive, project: str, name: str, *, since: float | None = None
    ) -> Answer:
        """Status, headers and body of the answer; the request came at `since`, by `time.perf_counter`.

        Raises Problem: 404 for a source that is not there, 401 for a signature, 400 for what makes no event,
        413, 415, 422 for data that its schema rejects; and Disconnected.
        """
        source = await self._sources.get(project, name)
        if source is None:
            raise Problem(NOT_FOUND, "There is no such project, or it has no source of this name.")
        headers: Headers = scope["headers"]
        access = await self._check_token(source, scope, project)
        cloudevent = source.recipe.kind.cloudevents and is_cloudevent(headers)
        most = self._settings.event_max_bytes
        limit = structured_bytes(most) if cloudevent else most
        body = await read_body(receive, content_length(headers), limit, "A webhook's body", self._room)
        now = time.time()
        signed = Signed()
        if source.recipe.signing is not None:
            signed = verify(source.recipe.signing, source.secrets, headers, body, now=now)
        # Not before: a stranger must not be able to use up what the third party may send.
        answered: Headers = [JSON, *await self._limited(source, access)]
        if cloudevent:
            event = _parse(headers, body)
            if event.data is not None and len(event.data) > most:
                raise too_large("An event", most)
        else:
            request = Request(
                headers,
                body,
                signed,
                name=source.name,
                project=project,
                received=now,
                form_payload=source.recipe.kind.form_payload,
            )
            if (answer := answer_of(source.recipe, request)) is not None:
                reply, text = answer
                content_type = f"{reply.content_type}; charset=utf-8".encode()
                return reply.status, [(b"content-type", content_type)], text.encode("utf-8", "replace")
            event = to_event(source.recipe, request)
        if access is not None and (refused := self._refusal(access, event)) is not None:
            raise refused
        notes = await self._types.note(source.project_id, event)
        (stored,) = await self._committer.store(
            source.project_id, source.producer, (event,), notes, since=since
        )
        if source.recipe.kind.token is not None and query_token(scope["query_string"]) is not None:
            answered.append(PRIVATE)
        return 202, answered, accepted(stored)

    async def _limited(self, source: Source, access: Access | None) -> Headers:
        """Count one request: of the source and, where an API key brought it, of the key as well.

        What the answer says of the limit. Raises Problem 429.
        """
        told: Headers = []
        if access is not None and access.limit is not None:
            told = await self._limits.enter(access.bucket, access.limit)
        if source.limit is not None:
            told = await self._limits.enter(f"source:{source.id}", source.limit)
        return told

    async def _check_token(self, source: Source, scope: Scope, project: str) -> Access | None:
        """The access of an API key, where the source asks for one. Raises Problem 400, 401, 403."""
        if source.recipe.kind.token is None:
            return None
        authorization = credential(scope["headers"], scope["query_string"])
        if not source.secrets:
            return await authorize(
                self._resources,
                authorization,
                project,
                PERMISSION,
                partial(address_in, scope, self._resources),
            )
        given = _bearer(authorization)
        if given is None:
            raise Problem(
                UNAUTHENTICATED,
                "Send the token of this source as Authorization: Bearer, or as access_token in the query.",
                headers=BEARER,
            )
        if not has_token(source.secrets, given):
            raise Problem(
                UNAUTHENTICATED,
                "The token is not one of this source's. Both sides must have the same.",
                headers=BEARER,
            )
        return None


def is_cloudevent(headers: Headers) -> bool:
    """Whether a message says that it is a CloudEvent, in whatever mode. Raises Problem 415."""
    try:
        if content_mode(headers) is not Mode.BINARY:
            return True
    except InvalidEvent as error:
        raise invalid(error) from None
    except UnsupportedFormat as error:
        raise Problem(UNSUPPORTED_FORMAT, error.detail) from None
    return any(name == b"ce-specversion" for name, _ in headers)


def _parse(headers: Headers, body: bytes) -> Event:
    try:
        return parse(headers, body)
    except InvalidEvent as error:
        raise invalid(error) from None
    except UnsupportedFormat as error:
        raise Problem(UNSUPPORTED_FORMAT, error.detail) from None


def _bearer(authorization: str | None) -> str | None:
    scheme, _, given = (authorization or "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" and given.strip() else None
