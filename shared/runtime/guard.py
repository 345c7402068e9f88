"""The outermost layer of every function: time, headers, and an answer for whatever went wrong."""

from time import perf_counter
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.answer import HEADERS, problem_for, problem_response
from shared.runtime.metrics import REQUESTS

if TYPE_CHECKING:
    from collections.abc import MutableSequence

UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by who looks after a function, not by who uses it: counted, they would hide how others fare."""

HEADER_NAMES = frozenset(name for name, _ in HEADERS)


class Guard:
    """Adds security headers, counts, and turns any exception into a problem response.

    Plain ASGI: a middleware that wraps requests in tasks of its own costs more than the rest of a request.
    """

    def __init__(self, app: ASGIApp, name: str, max_body_bytes: int | None = None) -> None:
        self._app = app
        self._name = name
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = secured(message.get("headers", []))
            await send(message)

        if self._max_body_bytes is not None:
            receive = limited(receive, self._max_body_bytes)
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            problem = problem_for(error)
            if status:
                raise  # the head has gone out: closing the connection is the only honest answer left
            await problem_response(problem)(scope, receive, answer)
        finally:
            if scope["path"] not in UNCOUNTED:
                took = perf_counter() - started
                REQUESTS.observe(self._name, scope["method"], str(status or 499), value=took)


def limited(receive: Receive, max_bytes: int) -> Receive:
    """`receive` that raises HTTPException 413 once a body is longer: what FastAPI lets through as it is."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > max_bytes:
            raise HTTPException(413)
        return message

    return counted


def secured(headers: "MutableSequence[tuple[bytes, bytes]]") -> "list[tuple[bytes, bytes]]":
    """`headers` and those of `HEADERS` that it does not have."""
    present = {name for name, _ in headers} & HEADER_NAMES
    if not present:
        return [*headers, *HEADERS]
    return [*headers, *(pair for pair in HEADERS if pair[0] not in present)]
