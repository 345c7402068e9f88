"""An endpoint function behind API Gateway, a function URL or a load balancer, by Mangum.

Mangum would run an application's lifespan at every call: it is told not to, and what a process holds is opened once by
`Sandbox`. What it takes for granted of payloads and they do not keep is mended here: stages and percent-encoding in
paths, who the client is, and how much Lambda lets through.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from mangum import Mangum
from mangum.handlers import ALB, HTTPGateway
from mangum.types import LambdaConfig, LambdaContext, LambdaEvent, Response, Scope
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AppScope

from shared.core.problems import MALFORMED, TOO_LARGE, UNAVAILABLE, Problem
from shared.runtime.answer import PROBLEM_TYPE, problem_response
from shared.runtime.browser import ANSWERS
from shared.runtime.guard import secured

TEXTS = ["text/", "json", "xml", "javascript"]
"""Of what has one of these in its type the body goes as text; everything else in base64, a third larger."""

ANSWER_BYTES = 6 * 1024 * 1024
BALANCER_ANSWER_BYTES = 1024 * 1024
"""What Lambda, and a load balancer, let through of an answer. It is their bound, not Weir's."""

RESERVE_SECONDS = 1.0
"""How long before the function's time is up a request is given up, so that the answer still goes out."""


class Gateway(HTTPGateway):
    """API Gateway's HTTP APIs and function URLs: payloads of version 2.0."""

    base_path = ""

    @classmethod
    def infer(cls, event: LambdaEvent, context: LambdaContext, config: LambdaConfig) -> bool:  # noqa: ARG003 Mangum's
        """Whether `event` is such a payload."""
        return event.get("version") == "2.0" and "http" in event.get("requestContext", {})

    @property
    def scope(self) -> Scope:
        """What the application gets. A function URL gives the path as it came, an HTTP API decoded."""
        scope: Scope = super().scope
        asked = self.event["requestContext"]
        path = without_prefix(self.event["rawPath"] or "/", _prefix(asked, self.base_path))
        if ".lambda-url." in asked.get("domainName", ""):
            scope.update(path=unquote(path), raw_path=path.encode())
        else:
            scope.update(path=path, raw_path=None)
        return scope

    def __call__(self, response: Response) -> dict[str, Any]:
        """The answer as API Gateway takes it; without the type that Mangum gives to what has none."""
        answer = super().__call__(response)
        if not any(name.lower() == b"content-type" for name, _ in response["headers"]):
            answer["headers"].pop("content-type", None)
        return answer


class Balancer(ALB):
    """An application load balancer. It hands on what clients say, and appends to it whom it has seen."""

    @property
    def scope(self) -> Scope:
        """What the application gets: the client is the last in `x-forwarded-for`, those before may be made up."""
        scope: Scope = super().scope
        seen = [value.decode() for name, value in scope["headers"] if name == b"x-forwarded-for"]
        raw = self.event["path"] or "/"
        scope.update(client=(address_in(",".join(seen)), 0), raw_path=raw.encode())
        return scope


def address_in(forwarded: str) -> str:
    """The last address in `x-forwarded-for`, without the port that a load balancer may be told to keep."""
    last = forwarded.rpartition(",")[2].strip()
    if last.startswith("["):
        return last[1:].partition("]")[0]
    return last.partition(":")[0] if last.count(":") == 1 else last


def without_prefix(path: str, prefix: str) -> str:
    """`path` below `prefix`; as it is where it is not below it."""
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        return path[len(prefix) :] or "/"
    return path


def _prefix(asked: dict[str, Any], base_path: str) -> str:
    """What stands before the path: the stage at API Gateway's own address, at others what a mapping says."""
    stage = asked.get("stage", "$default")
    if ".execute-api." in asked.get("domainName", "") and stage != "$default":
        return f"/{stage}"
    return base_path


class Endpoint:
    """Answers payloads of HTTP requests with an ASGI application, on the calling thread's current loop."""

    def __init__(self, app: ASGIApp, base_path: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        self._app = app
        self._headers = dict(headers)  # that go with every answer
        gateway = type("Gateway", (Gateway,), {"base_path": f"/{base_path.strip('/')}" if base_path else ""})
        self._mangum = Mangum(
            self._bounded, lifespan="off", custom_handlers=[gateway, Balancer], text_mime_types=TEXTS
        )

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The answer to `event`. Raises ValueError for what is no HTTP request."""
        if "requestContext" not in event:
            raise ValueError(
                "this function answers HTTP requests: call it by API Gateway, a URL or a load balancer"
            )
        from_balancer = "elb" in event["requestContext"]
        if (fault := _unusable_host(event)) is not None:
            return self._with_headers(_answer(Problem(MALFORMED, fault), event))
        answer = self._mangum(event, context)
        limit = BALANCER_ANSWER_BYTES if from_balancer else ANSWER_BYTES
        if len(answer["body"]) > limit // 4 and _size(answer) > limit:
            answer = _answer(
                Problem(
                    TOO_LARGE,
                    f"The answer is larger than the {limit:,} bytes that can be sent from here."
                    " Ask for less at once, by a smaller limit.",
                ),
                event,
            )
        return self._with_headers(answer)

    def _with_headers(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "multiValueHeaders" in answer:
            answer["multiValueHeaders"].update({name: [value] for name, value in self._headers.items()})
        else:
            answer["headers"].update(self._headers)
        return answer

    async def _bounded(self, scope: AppScope, receive: Receive, send: Send) -> None:
        """Answer 503 while there is time to, rather than be ended without an answer."""
        left = scope["aws.context"].get_remaining_time_in_millis() / 1000
        started = False

        async def noted(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(max(left - RESERVE_SECONDS, left / 2)):
                await self._app(scope, receive, noted)
        except TimeoutError:
            if started:
                raise
            problem = Problem(UNAVAILABLE, "This takes too long.", headers={"Retry-After": "5"})
            response = problem_response(problem)
            response.raw_headers[:] = secured(response.raw_headers)
            await response(scope, receive, send)


def _size(answer: dict[str, Any]) -> int:
    """How many bytes Lambda will count: those of the answer as JSON."""
    return len(json.dumps(answer, ensure_ascii=False).encode())


def _unusable_host(event: dict[str, Any]) -> str | None:
    """Why `Host` cannot be used: a load balancer lets everything through, and Mangum splits it at its colons."""
    headers: dict[str, Any] = event.get("multiValueHeaders") or event.get("headers") or {}
    for name, value in headers.items():
        if name.lower() == "host":
            host = value[-1] if isinstance(value, list) else value
            _, colon, port = host.partition(":")
            if colon and not (port.isascii() and port.isdigit()):
                return "The Host header cannot be read."
    return None


def _answer(problem: Problem, event: dict[str, Any]) -> dict[str, Any]:
    """`problem` as whoever sent `event` takes it."""
    headers = {
        **ANSWERS,
        "content-type": PROBLEM_TYPE,
        **{name.lower(): value for name, value in problem.headers.items()},
    }
    answer: dict[str, Any] = {
        "statusCode": problem.kind.status,
        "body": json.dumps(problem.body()),
        "isBase64Encoded": False,
    }
    if "multiValueHeaders" in event:
        answer["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    else:
        answer["headers"] = headers
    return answer
