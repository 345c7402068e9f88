"""The HTTP surface of sign-in: what begins and ends sessions; the rest has folders of its own."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.device.routes import device
from functions.identity.front import Front, user_body
from functions.identity.function import FUNCTION
from functions.identity.invitations.routes import acceptance
from functions.identity.notices.queries import notices_of
from functions.identity.notices.routes import notices
from functions.identity.notices.schemas import NoticeBody
from functions.identity.oidc.routes import oidc
from functions.identity.passkeys.routes import passkeys
from functions.identity.passkeys.service import Passkeys
from functions.identity.passwords.routes import passwords
from functions.identity.schemas import (
    EnteredBody,
    JwksBody,
    LinkRequest,
    MeBody,
    MembershipBody,
    NameRequest,
    SessionBody,
    SignInRequest,
    UserBody,
)
from functions.identity.second_factor.routes import second_factor
from functions.identity.second_factor.service import SecondFactors
from functions.identity.service import Identity
from functions.identity.sessions.routes import sessions
from shared.auth.access import Principal
from shared.auth.acting import Author
from shared.auth.dependency import PUBLIC, signed_in
from shared.core.problems import UNAUTHENTICATED, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.refusals import public_problems
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]


def create(resources: Resources) -> FastAPI:
    """The application of `identity`."""
    identity = Identity(resources)
    front = Front(resources)
    factors = SecondFactors(identity)
    keys = Passkeys(identity, factors)
    return endpoint_app(
        FUNCTION,
        resources,
        _sign_in(identity, front),
        second_factor(identity, front, factors, keys),
        passkeys(front, keys),
        passwords(identity, front),
        sessions(identity),
        notices(identity),
        device(resources, identity, front),
        oidc(resources, identity, front),
        acceptance(resources, identity, front),
    )


def _sign_in(identity: Identity, front: Front) -> APIRouter:
    router = APIRouter(tags=["identity"])

    @router.post("/v1/auth/link", openapi_extra=public_problems(401, 403))
    async def exchange_link(
        body: LinkRequest, request: Request, response: Response, by: Author
    ) -> EnteredBody:
        """Sign in with a one-time link."""
        visitor = front.visitor(request)
        return front.answer(response, await identity.exchange_link(body.token, visitor, by), visitor)

    @router.post("/v1/auth/sign-in", openapi_extra=public_problems(401, 403, 429))
    async def sign_in(body: SignInRequest, request: Request, response: Response, by: Author) -> EnteredBody:
        """Sign in with a password."""
        visitor = front.visitor(request)
        entered = await identity.sign_in(body.email, body.password.get_secret_value(), visitor, by)
        return front.answer(response, entered, visitor)

    @router.post("/v1/auth/refresh", openapi_extra=public_problems(401, 403))
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

    @router.post("/v1/auth/sign-out", status_code=204, openapi_extra=public_problems(403))
    async def sign_out(request: Request, response: Response, by: Author) -> None:
        """End the session of the cookie."""
        front.visitor(request)
        await identity.sign_out(front.refresh_token(request), by)
        response.headers["Set-Cookie"] = front.ended()

    @router.get("/v1/me")
    async def get_me(caller: Caller) -> MeBody:
        """The signed-in user, what they may do in each of their projects, and what they should know."""
        user, projects = await identity.me(caller)
        told = await notices_of(await identity.resources.pg(), user.id)
        return MeBody(
            user=user_body(user),
            projects=[MembershipBody(name=p.name, role=p.role, permissions=p.permissions) for p in projects],
            notices=[
                NoticeBody(
                    id=row["id"],
                    kind=row["kind"],
                    at=row["created_at"],
                    address=row["address"],
                    browser=row["browser"],
                )
                for row in told
            ],
        )

    @router.put("/v1/me")
    async def rename_me(body: NameRequest, caller: Caller, by: Author) -> UserBody:
        """Change one's name."""
        return user_body(await identity.rename(caller, body.name.strip(), by))

    @router.get("/.well-known/jwks.json", openapi_extra=PUBLIC)
    async def get_jwks(response: Response) -> JwksBody:
        """The public keys that verify access tokens."""
        response.headers["Cache-Control"] = "public, max-age=60"
        # They are for everybody. A page that may not call Weir finds out by them that Weir is there.
        response.headers["Access-Control-Allow-Origin"] = "*"
        return JwksBody(keys=await identity.public_keys())

    return router
