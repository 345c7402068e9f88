"""The HTTP surface of sign-in."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.device.routes import device
from functions.identity.front import Front, user_body
from functions.identity.function import FUNCTION
from functions.identity.oidc.routes import oidc
from functions.identity.schemas import (
    EnteredBody,
    JwksBody,
    LinkRequest,
    MeBody,
    MembershipBody,
    PasswordRequest,
    SessionBody,
    SignInRequest,
)
from functions.identity.service import Identity
from shared.auth.access import Principal
from shared.auth.acting import Author
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
    identity = Identity(resources)
    front = Front(resources)
    return endpoint_app(
        FUNCTION,
        resources,
        _router(identity, front),
        device(resources, identity, front),
        oidc(resources, identity, front),
    )


def _router(identity: Identity, front: Front) -> APIRouter:
    router = APIRouter(tags=["identity"])

    @router.post("/v1/auth/link", openapi_extra=_answers(401, 403))
    async def exchange_link(
        body: LinkRequest, request: Request, response: Response, by: Author
    ) -> EnteredBody:
        """Sign in with a one-time link."""
        visitor = front.visitor(request)
        return front.answer(response, await identity.exchange_link(body.token, visitor, by), visitor)

    @router.post("/v1/auth/sign-in", openapi_extra=_answers(401, 403, 429))
    async def sign_in(body: SignInRequest, request: Request, response: Response, by: Author) -> EnteredBody:
        """Sign in with a password."""
        visitor = front.visitor(request)
        entered = await identity.sign_in(body.email, body.password.get_secret_value(), visitor, by)
        return front.answer(response, entered, visitor)

    @router.post("/v1/auth/refresh", openapi_extra=_answers(401, 403))
    async def refresh_session(request: Request, response: Response, by: Author) -> SessionBody:
        """Exchange the refresh token in the cookie for a new one and a new access token."""
        visitor = front.visitor(request)
        try:
            started = await identity.refresh(front.refresh_token(request), visitor, by)
        except Problem as problem:
            if problem.kind is UNAUTHENTICATED:
                problem.headers["Set-Cookie"] = front.ended()
            raise
        return front.session(response, started, visitor)

    @router.post("/v1/auth/sign-out", status_code=204, openapi_extra=_answers(403))
    async def sign_out(request: Request, response: Response, by: Author) -> None:
        """End the session of the cookie."""
        front.visitor(request)
        await identity.sign_out(front.refresh_token(request), by)
        response.headers["Set-Cookie"] = front.ended()

    @router.get("/v1/me")
    async def get_me(caller: Caller) -> MeBody:
        """The signed-in user and what they may do in each of their projects."""
        user, projects = await identity.me(caller)
        return MeBody(
            user=user_body(user),
            projects=[MembershipBody(name=p.name, role=p.role, permissions=p.permissions) for p in projects],
        )

    @router.put("/v1/me/password", status_code=204, openapi_extra=_answers(429, public=False))
    async def set_password(body: PasswordRequest, caller: Caller, request: Request, by: Author) -> None:
        """Set one's password; the user's other sessions end."""
        current = body.current_password
        await identity.set_password(
            caller,
            body.password.get_secret_value(),
            None if current is None else current.get_secret_value(),
            address=front.visitor(request).address,
            by=by,
        )

    @router.get("/.well-known/jwks.json", openapi_extra=PUBLIC)
    async def get_jwks(response: Response) -> JwksBody:
        """The public keys that verify access tokens."""
        response.headers["Cache-Control"] = "public, max-age=60"
        # They are for everybody. A page that may not call Weir finds out by them that Weir is there.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return JwksBody(keys=await identity.public_keys())

    return router
