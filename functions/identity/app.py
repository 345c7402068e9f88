"""The HTTP surface of sign-in."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.client import address_of, client_of
from functions.identity.cookie import COOKIE, RefreshCookie
from functions.identity.function import FUNCTION
from functions.identity.origin import check_origin
from functions.identity.schemas import (
    JwksBody,
    LinkRequest,
    MeBody,
    MembershipBody,
    PasswordRequest,
    SessionBody,
    SignInRequest,
    UserBody,
)
from functions.identity.service import Identity, SignedIn, User
from functions.identity.sessions import IDLE_SECONDS
from functions.identity.settings import IdentitySettings
from shared.auth.access import Principal
from shared.auth.dependency import PUBLIC, signed_in
from shared.core.problems import UNAUTHENTICATED, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]


def _answers(*statuses: int, public: bool = True) -> dict[str, Any]:
    """The problems of an operation beside those that every one has."""
    refs = {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in statuses}
    return {**(PUBLIC if public else {}), "responses": refs}


def create(resources: Resources) -> FastAPI:
    """The application of `identity`."""
    return endpoint_app(FUNCTION, resources, _router(resources))


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(tags=["identity"])
    identity = Identity(resources)
    public_url = resources.settings.public_url
    console_origins = resources.settings.console_origins
    settings = IdentitySettings()
    cookie = RefreshCookie(public_url, settings.cookie_same_site)
    proxies = settings.proxy_networks

    @router.post("/v1/auth/link", openapi_extra=_answers(401, 403))
    async def exchange_link(body: LinkRequest, request: Request, response: Response) -> SessionBody:
        """Sign in with a one-time link."""
        check_origin(request, public_url, console_origins)
        return answer(response, await identity.exchange_link(body.token, client(request)))

    @router.post("/v1/auth/sign-in", openapi_extra=_answers(401, 403, 429))
    async def sign_in(body: SignInRequest, request: Request, response: Response) -> SessionBody:
        """Sign in with a password."""
        check_origin(request, public_url, console_origins)
        started = await identity.sign_in(
            body.email,
            body.password.get_secret_value(),
            client=client(request),
            address=address(request),
        )
        return answer(response, started)

    @router.post("/v1/auth/refresh", openapi_extra=_answers(401, 403))
    async def refresh_session(request: Request, response: Response) -> SessionBody:
        """Exchange the refresh token in the cookie for a new one and a new access token."""
        check_origin(request, public_url, console_origins)
        try:
            return answer(response, await identity.refresh(request.cookies.get(COOKIE), client(request)))
        except Problem as problem:
            if problem.kind is UNAUTHENTICATED:
                problem.headers["Set-Cookie"] = cookie.ended()
            raise

    @router.post("/v1/auth/sign-out", status_code=204, openapi_extra=_answers(403))
    async def sign_out(request: Request, response: Response) -> None:
        """End the session of the cookie."""
        check_origin(request, public_url, console_origins)
        await identity.sign_out(request.cookies.get(COOKIE))
        response.headers["Set-Cookie"] = cookie.ended()

    @router.get("/v1/me")
    async def get_me(caller: Caller) -> MeBody:
        """The signed-in user and what they may do in each of their projects."""
        user, projects = await identity.me(caller)
        return MeBody(
            user=user_body(user),
            projects=[MembershipBody(name=p.name, role=p.role, permissions=p.permissions) for p in projects],
        )

    @router.put("/v1/me/password", status_code=204, openapi_extra=_answers(429, public=False))
    async def set_password(body: PasswordRequest, caller: Caller, request: Request) -> None:
        """Set one's password; the user's other sessions end."""
        current = body.current_password
        await identity.set_password(
            caller,
            body.password.get_secret_value(),
            None if current is None else current.get_secret_value(),
            address=address(request),
        )

    @router.get("/.well-known/jwks.json", openapi_extra=PUBLIC)
    async def get_jwks(response: Response) -> JwksBody:
        """The public keys that verify access tokens."""
        response.headers["Cache-Control"] = "public, max-age=60"
        # They are for everybody. A page that may not call Weir finds out by them that Weir is there.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return JwksBody(keys=await identity.public_keys())

    def address(request: Request) -> str:
        return address_of(request, proxies)

    def client(request: Request) -> str:
        return client_of(request, address(request))

    def answer(response: Response, started: SignedIn) -> SessionBody:
        response.headers["Set-Cookie"] = cookie.holding(started.refresh_token, IDLE_SECONDS)
        return SessionBody(
            access_token=started.access.text,
            expires_at=datetime.fromtimestamp(started.access.expires_at, UTC),
            user=user_body(started.user),
        )

    return router


def user_body(user: User) -> UserBody:
    """How a user looks on the wire."""
    return UserBody(id=user.id, email=user.email, name=user.name, has_password=user.has_password)
