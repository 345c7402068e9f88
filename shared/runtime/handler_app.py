"""The HTTP application of an event handler, which Knative's broker and sources call."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.catalog import CONTRACTS
from shared.contracts.tick import Tick
from shared.core.problems import METHOD_NOT_ALLOWED, NOT_A_CLOUDEVENT, NOT_FOUND, UNAVAILABLE, Problem
from shared.runtime.answer import problem_response
from shared.runtime.function import Function
from shared.runtime.guard import Guard
from shared.runtime.handler import Handler, OwnEvent
from shared.runtime.probes import Probes
from shared.runtime.resources import Resources

BODY_BYTES = 64 * 1024
PING = "dev.knative.sources.ping"
"""A PingSource cannot name the type of its events, so what it sends is a tick."""

logger = logging.getLogger("weir")


class HandlerApp:
    """The HTTP application of a handler: one CloudEvent by POST, and the probes."""

    def __init__(self, function: Function, resources: Resources, handler: Handler) -> None:
        self._function = function
        self._resources = resources
        self._handler = handler
        probes = Probes(resources, function.needs)
        self._gets = {"/healthz": probes.health, "/readyz": probes.ready, "/metrics": probes.metrics}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        probe = self._gets.get(request.url.path)
        if probe is not None and request.method in {"GET", "HEAD"}:
            return await probe(request)
        if probe is not None or request.url.path != "/":
            return problem_response(Problem(NOT_FOUND, "There is nothing at this address."))
        if request.method != "POST":
            return problem_response(
                Problem(METHOD_NOT_ALLOWED, "Events are sent by POST.", headers={"Allow": "POST"})
            )
        return await self._receive(request)

    async def _receive(self, request: Request) -> Response:
        """Handle one event. A broker repeats 404, 408, 409, 429 and 5xx: facts that stay answer 400."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                return problem_response(Problem(NOT_A_CLOUDEVENT, "The event is too large."))
        try:
            event = parse(request.headers, body)
        except Exception as error:
            logger.warning("not a CloudEvent: %s: %s", type(error).__name__, error)
            return problem_response(Problem(NOT_A_CLOUDEVENT, f"This is not a CloudEvent: {error}"))
        if event["type"] not in self._function.on:
            logger.warning("%s does not handle %s", self._function.name, event["type"])
            return problem_response(Problem(NOT_A_CLOUDEVENT, f"{event['type']} is not handled here."))
        if self._resources.draining:
            return problem_response(Problem(UNAVAILABLE, "This instance is ending."))
        await self._handler.handle(event)
        return Response(status_code=202)


def parse(headers: Headers, body: bytes) -> OwnEvent:
    """The CloudEvent of a binary or structured message.

    `data` of Weir's own types is checked against its contract. Raises InvalidEvent or UnsupportedFormat for what is
    not an event, ValueError for data that is not what the contract says.
    """
    from shared.core.cloudevents import parse as read_event

    event = read_event(headers.raw, body)
    kind, data = event.type, msgspec.json.decode(event.data) if event.data else None
    if kind == PING:
        kind, data = Tick.TYPE, None
    return checked({"id": event.id, "source": event.source, "type": kind}, data)


def checked(attributes: Mapping[str, Any], data: Any) -> OwnEvent:
    """An event of these attributes, its data held against its type's contract. Raises ValueError where it is not that."""
    contract = CONTRACTS.get(attributes["type"])
    if contract is not None:
        said = contract.model_validate(data or {})
        data = said.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {**attributes, "data": data}


def handler_app(function: Function, resources: Resources, handler: Handler) -> ASGIApp:
    """What `serve` runs for an event handler."""
    return Guard(HandlerApp(function, resources, handler), function.name)
