"""A route says what it demands; one that says nothing is found out."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from shared.auth.access import Access, Principal
from shared.auth.dependency import PUBLIC, declare, demands_of, requires, signed_in


def inner(access: Annotated[Access, Depends(requires("events:read"))]) -> Access:
    return access


def test_what_routes_demand() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/{project}/direct")
    def direct(access: Annotated[Access, Depends(requires("keys:read"))]) -> None: ...

    @app.get("/{project}/nested")
    def nested(project: str, access: Annotated[Access, Depends(inner)]) -> None: ...

    @app.get("/anybody")
    def anybody(caller: Annotated[Principal, Depends(signed_in)]) -> None: ...

    @app.get("/open", openapi_extra=PUBLIC)
    def open_to_all() -> None: ...

    @app.get("/own")
    def own() -> None: ...

    @app.get("/forgotten")
    def forgotten(also: Annotated[str, Depends(lambda: "")]) -> None: ...

    declare(own, "events:write")
    found = {route.path: demands_of(route) for route in app.routes if isinstance(route, APIRoute)}
    assert found == {
        "/{project}/direct": "keys:read",
        "/{project}/nested": "events:read",
        "/anybody": "signed-in",
        "/open": "public",
        "/own": "events:write",
        "/forgotten": None,
    }
