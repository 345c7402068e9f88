"""What a route demands of its caller, as FastAPI dependencies that a test and the OpenAPI can read."""

from functools import partial
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.routing import BaseRoute

from shared.auth.access import Access, Principal
from shared.auth.authority import authorize, identify
from shared.auth.client import address_in

_SCHEME = "bearer"
_DECLARED = "__weir_demands__"
PUBLIC: dict[str, Any] = {"security": []}
"""For `openapi_extra` of a route that asks for no credential."""


class _Demand(SecurityBase):
    """Shows in the OpenAPI as `security: [{"bearer": []}]`."""

    def __init__(self, demands: str) -> None:
        self.demands = demands
        self.model = HTTPBearer(description="An API key, or an access token from sign-in.")
        self.scheme_name = _SCHEME


class Requires(_Demand):
    """A permission in the project that the path names as `{project}`. Gives the `Access`."""

    async def __call__(self, request: Request, project: str) -> Access:
        """Raises Problem 401, 403 or 404."""
        return await authorize(
            request.app.state.resources,
            request.headers.get("authorization"),
            project,
            self.demands,
            partial(address_in, request),
        )


class SignedIn(_Demand):
    """Any valid credential. Gives the `Principal`."""

    async def __call__(self, request: Request) -> Principal:
        """Raises Problem 401."""
        return await identify(
            request.app.state.resources,
            request.headers.get("authorization"),
            partial(address_in, request),
        )


def requires(permission: str) -> Requires:
    """`Depends(requires("events:read"))` gives the caller's `Access`, or answers 401, 403 or 404."""
    return Requires(permission)


signed_in = SignedIn("signed-in")
"""`Depends(signed_in)` gives the caller's `Principal`, or answers 401."""


def declare(endpoint: Any, demands: str) -> Any:
    """Mark an endpoint that checks its caller by itself (`authorize`); `demands` is a permission or "public"."""
    setattr(endpoint, _DECLARED, demands)
    return endpoint


def demands_of(route: BaseRoute) -> str | None:
    """What `route` demands: a permission, "signed-in", "public", or None when it says nothing."""
    declared = getattr(getattr(route, "endpoint", None), _DECLARED, None)
    if declared is not None:
        return str(declared)
    dependant = getattr(route, "dependant", None)
    if dependant is not None and (demand := _demand_in(dependant)) is not None:
        return demand
    extra = getattr(route, "openapi_extra", None) or {}
    return "public" if extra.get("security") == [] else None


def _demand_in(dependant: Dependant) -> str | None:
    for inner in dependant.dependencies:
        if isinstance(inner.call, _Demand):
            return inner.call.demands
        if (found := _demand_in(inner)) is not None:
            return found
    return None
