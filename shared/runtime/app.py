"""The FastAPI application of an endpoint function, and how its errors look."""

from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from shared.core.problems import INVALID, MALFORMED, UNSUPPORTED_FORMAT, Problem
from shared.runtime.answer import kind_of, problem_response
from shared.runtime.faults import faults_of
from shared.runtime.function import Function
from shared.runtime.guard import Guard
from shared.runtime.probes import Probes
from shared.runtime.resources import Resources

BODY_BYTES = 1024 * 1024
"""How large a request body may be where a function says nothing else."""


def endpoint_app(
    function: Function,
    resources: Resources,
    *routers: APIRouter,
    max_body_bytes: int | None = BODY_BYTES,
    kind: type[FastAPI] = FastAPI,
) -> FastAPI:
    """An application with the routes of `routers`, health, readiness, metrics and its own `/openapi.json`.

    Handlers find `resources` at `app.state.resources`. What they raise becomes a problem: `Problem` as it
    is, invalid input 422 (400 for what is not JSON), a store that is away 503, anything else 500.
    Bodies past `max_body_bytes` are 413; None leaves the limit to the routes. `kind` is the class to make.
    """
    app = kind(
        title=f"Weir {function.name}",
        summary=function.summary,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=operation_id,
        exception_handlers={
            Problem: _problem,
            RequestValidationError: _invalid,
            HTTPException: _http,
        },
    )
    app.state.resources = resources
    app.add_middleware(Guard, name=function.name, max_body_bytes=max_body_bytes)
    if resources.settings.console_origins:
        from shared.runtime.cors import let_in

        let_in(app, resources.settings.console_origins)
    probes = Probes(resources, function.needs)
    app.add_route("/healthz", probes.health, include_in_schema=False)
    app.add_route("/readyz", probes.ready, include_in_schema=False)
    app.add_route("/metrics", probes.metrics, include_in_schema=False)
    for router in routers:
        app.include_router(router)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            from shared.runtime.openapi import document

            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def operation_id(route: APIRoute) -> str:
    """`list_events` is `listEvents`: stable, and readable in a generated client."""
    head, *rest = route.name.split("_")
    return head + "".join(word.capitalize() for word in rest)


async def _problem(_request: Request, error: Exception) -> Response:
    return problem_response(cast("Problem", error))


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _allowed(request: Request) -> str:
    """Every method of this address: each route by itself knows only its own (RFC 9110, 10.2.1)."""
    routes = request.app.routes
    return ", ".join(
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )


async def _http(request: Request, error: Exception) -> Response:
    http = cast("HTTPException", error)
    details = {
        404: "There is nothing at this address.",
        405: "This address does not know that method.",
        413: "The body is too large.",
    }
    detail = details.get(http.status_code, str(http.detail))
    headers = {"Allow": _allowed(request)} if http.status_code == 405 else http.headers or {}
    return problem_response(Problem(kind_of(http.status_code), detail, headers=headers))


async def _invalid(request: Request, error: Exception) -> Response:
    faults = cast("RequestValidationError", error).errors()
    for fault in faults:
        if fault["type"] == "json_invalid":
            reason = fault.get("ctx", {}).get("error", "it cannot be read")
            return problem_response(
                Problem(MALFORMED, f"The body is not JSON: {reason} at character {fault['loc'][-1]}.")
            )
    if any(fault["loc"] == ("body",) for fault in faults) and not _says_json(request):
        return problem_response(
            Problem(UNSUPPORTED_FORMAT, "The body must be JSON, with a Content-Type that says so.")
        )
    return problem_response(
        Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=faults_of(faults, cast("RequestValidationError", error).body),
        )
    )


def _says_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
