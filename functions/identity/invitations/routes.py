"""The HTTP surface of accepting an invitation."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.front import Front
from functions.identity.invitations.schemas import (
    AcceptedBody,
    AcceptRequest,
    InvitationTokenRequest,
    JoinedBody,
    OpenedInvitationBody,
)
from functions.identity.invitations.service import Acceptance
from functions.identity.service import Identity
from shared.auth.access import Principal
from shared.auth.acting import Author, changes_nothing
from shared.auth.authority import identify
from shared.core.problems import INVALID, Fault, Problem
from shared.runtime.refusals import public_problems
from shared.runtime.resources import Resources


def acceptance(resources: Resources, identity: Identity, front: Front) -> APIRouter:
    """The routes below `/v1/auth/invitation`. Who is signed in shows their access token, though nobody has to."""
    router = APIRouter(prefix="/v1/auth/invitation", tags=["identity"])
    service = Acceptance(resources, identity)

    async def whoever(request: Request) -> Principal | None:
        """Who is signed in, if anybody. Raises Problem 401 for a token that is not good."""
        header = request.headers.get("authorization")
        return None if header is None else await identify(resources, header)

    @router.post("", openapi_extra=public_problems(401, 403, 404))
    @changes_nothing
    async def open_invitation(body: InvitationTokenRequest, request: Request) -> OpenedInvitationBody:
        """What an invitation is to."""
        front.visitor(request)
        opened = await service.open(body.token.get_secret_value(), await whoever(request))
        return OpenedInvitationBody.model_validate(opened, from_attributes=True)

    @router.post("/accept", openapi_extra=public_problems(401, 403, 404, 409, 429))
    async def accept_invitation(
        body: AcceptRequest, request: Request, response: Response, by: Author
    ) -> AcceptedBody:
        """Accept an invitation: with a new account, or signed in with the account that one has."""
        visitor = front.visitor(request)
        principal = await whoever(request)
        token = body.token.get_secret_value()
        if principal is not None:
            if body.name is not None or body.password is not None:
                raise Problem(
                    INVALID,
                    "Whoever is signed in has an account.",
                    errors=[Fault("/name", "is for a new account: sign out, or leave it out")],
                )
            return JoinedBody(project=await service.join(token, principal, by))
        password = None if body.password is None else body.password.get_secret_value()
        entered = await service.sign_up(token, visitor, by, name=body.name, password=password)
        return front.answer(response, entered, visitor)

    return router
