"""The application: the door beside what every function has."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.ingest.door import Door
from functions.ingest.function import FUNCTION
from functions.ingest.projects import PERMISSION
from functions.ingest.schemas import Accepted, BatchAccepted
from functions.ingest.settings import IngestSettings
from shared.auth.acting import changes_nothing
from shared.auth.dependency import PUBLIC, declare
from shared.runtime.app import endpoint_app
from shared.runtime.guard import Guard
from shared.runtime.resources import Resources

PREFIX = "/in/"
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
RATE_LIMIT = {
    "RateLimit-Policy": {
        "description": 'Where a limit applies: `"producer";q=QUOTA;w=SECONDS`.',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": 'Where a limit applies: `"producer";r=REMAINING;t=SECONDS`.',
        "schema": {"type": "string"},
    },
}
"""draft-ietf-httpapi-ratelimit-headers-11. A batch counts as its events."""

EVENT = {"type": "object", "description": "A CloudEvent in the JSON format."}


class DoorApplication(FastAPI):
    """Lets events past the layers that FastAPI puts around a route: they cost more than taking an event in."""

    door: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """To the door, or to everything else."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create(resources: Resources) -> FastAPI:
    """The application of this function."""
    app = endpoint_app(FUNCTION, resources, max_body_bytes=None, kind=DoorApplication)
    assert isinstance(app, DoorApplication)
    app.door = Guard(Door(resources, IngestSettings()), FUNCTION.name)
    app.router.routes[:0] = [
        _described(
            send_events,
            "POST",
            "{project}",
            openapi_extra=CONSUMES,
            responses={
                202: {
                    "model": Accepted | BatchAccepted,
                    "description": "Stored: it is on disk.",
                    "headers": RATE_LIMIT,
                },
                429: {
                    "description": "Too many events; `Retry-After` says when to go on.",
                    "headers": RATE_LIMIT,
                    "content": PROBLEM,
                },
                507: {"description": "There is no space left to store events.", "content": PROBLEM},
            },
            status_code=202,
        ),
        _described(shake_hands, "OPTIONS", "{project}", openapi_extra=PUBLIC, response_class=Response),
        _described(
            send_webhook,
            "POST",
            "{project}/{source}",
            openapi_extra=SIGNED,
            responses={
                200: {
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                    "description": "The answer to a check of the address; there was no event in it.",
                },
                202: {"model": Accepted, "description": "Stored: it is on disk."},
                429: {
                    "description": "Too many requests; `Retry-After` says when to go on.",
                    "content": PROBLEM,
                },
                507: {"description": "There is no space left to store events.", "content": PROBLEM},
            },
            status_code=202,
        ),
        _described(
            shake_hands_with_source,
            "OPTIONS",
            "{project}/{source}",
            openapi_extra=PUBLIC,
            response_class=Response,
        ),
    ]
    return app


def _described(endpoint: Any, method: str, path: str, **options: Any) -> APIRoute:
    """Documents an operation like any other; no request comes to it."""
    return APIRoute(
        PREFIX + path,
        endpoint,
        methods=[method],
        summary=endpoint.__doc__.partition("\n")[0].rstrip("."),
        operation_id=_camel(endpoint.__name__),
        tags=["ingest"],
        **options,
    )


def send_events(project: str) -> None:
    """Send a CloudEvent, or a batch of them.

    Binary mode (`ce-*` headers), structured mode or batch. 202 comes after the commit. The same `source`
    and `id` again is answered with the uid of the first. A batch is stored whole or not at all, unless
    `Prefer: handling=lenient` asks for what is good of it.
    """


def shake_hands(project: str) -> None:
    """Ask for the permission to send (CloudEvents webhooks)."""


def send_webhook(project: str, source: str) -> None:
    """Send a third party's webhook.

    The source says how its signature is checked and how it becomes a CloudEvent (`docs/reference/sources.md`). A
    source of kind `plain` without a secret asks for an API key. The same delivery again is answered with the uid
    of the first.
    """


def shake_hands_with_source(project: str, source: str) -> None:
    """Ask for the permission to send to a source (CloudEvents webhooks)."""


declare(changes_nothing(send_events), PERMISSION)
declare(shake_hands, "public")
# The signature is its credential.
declare(changes_nothing(send_webhook), "public")
declare(shake_hands_with_source, "public")

SIGNED: dict[str, Any] = {
    "security": [{}, {"bearer": []}],
    "requestBody": {
        "required": True,
        "content": {
            "*/*": {"schema": {"description": "Whatever the third party sends; kept byte for byte."}}
        },
    },
}

CONSUMES: dict[str, Any] = {
    "parameters": [
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "`handling=lenient` with a batch: store what is good of it.",
        },
        {
            "name": "access_token",
            "in": "query",
            "required": False,
            "schema": {"type": "string"},
            "description": "The credential, for senders that cannot set headers: instead of `Authorization`.",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": EVENT},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": EVENT}},
            "*/*": {
                "schema": {"description": "The data of an event whose attributes are in `ce-*` headers."}
            },
        },
    },
}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
