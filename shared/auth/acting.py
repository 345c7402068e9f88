"""Who makes the change that a route is for, as a FastAPI dependency: what `shared.audit.record` wants to know."""

import logging
import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute

from shared.audit.by import By, Via
from shared.auth.access import Principal
from shared.auth.authority import identify
from shared.auth.client import address_in
from shared.core.problems import Problem

COMMAND = "weir-cli"
"""How the `weir` command names itself in `User-Agent`; its version follows behind a slash."""

MAX_AGENT = 200
_NOTHING = "__weir_changes_nothing__"
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[\w.:/+=-]{1,100}", re.ASCII)

T = TypeVar("T", bound=Callable[..., Any])

logger = logging.getLogger("weir.audit")


class Acting:
    """Gives the `By` of the caller: nobody, where there is no valid credential (`requires` refuses those).

    A request that went well and neither recorded nor said that there was nothing to change is an error in Weir: it
    is logged, and fails the tests.
    """

    async def __call__(self, request: Request) -> AsyncIterator[By]:
        """Raises what the driver does when a store is away."""
        by = await by_request(request)
        yield by
        if not by.is_settled:
            logger.error("%s %s recorded nothing", request.method, request.scope["route"].path)


async def by_request(request: Request) -> By:
    """Who sent `request`, and from where."""
    resources = request.app.state.resources
    try:
        principal: Principal | None = await identify(resources, request.headers.get("authorization"))
    except Problem:
        principal = None
    agent = _printable(request.headers.get("user-agent", ""))
    kind, _, id_ = principal.id.partition(":") if principal is not None else ("nobody", "", "")
    return By(
        "user" if kind == "user" else "key" if kind == "key" else "nobody",
        id_ or None,
        _via(kind, agent),
        agent=agent or None,
        address=address_in(request),
        request_id=_request_id(request),
    )


Author = Annotated[By, Depends(Acting())]
"""What a route that changes something takes, and hands to its use case."""


def changes_nothing(endpoint: T) -> T:
    """Mark a route that changes nothing though its method could: a check, a trial, an event that is taken in."""
    setattr(endpoint, _NOTHING, True)
    return endpoint


def records(route: BaseRoute) -> bool | None:
    """Whether `route` says that it records; None when it says that there is nothing to record."""
    if getattr(getattr(route, "endpoint", None), _NOTHING, False):
        return None
    dependant = getattr(route, "dependant", None)
    return dependant is not None and _takes_author(dependant)


def _takes_author(dependant: Dependant) -> bool:
    return any(isinstance(one.call, Acting) or _takes_author(one) for one in dependant.dependencies)


def _via(kind: str, agent: str) -> Via:
    if agent.startswith(COMMAND):
        return "command"
    if kind == "key":
        return "key"
    # Browsers all begin so (RFC 9110, 10.1.5 lets them), and nothing else that has a person's token need.
    return "console" if agent.startswith("Mozilla/") else "api"


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:MAX_AGENT]


def _request_id(request: Request) -> str | None:
    """The trace (W3C Trace Context), or what a gateway calls the request."""
    trace = _TRACE.fullmatch(request.headers.get("traceparent", ""))
    if trace is not None:
        return trace[1]
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else None
