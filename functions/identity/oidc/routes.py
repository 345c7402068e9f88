"""The HTTP surface of sign-in by a provider, and of which ways in there are.

The provider sends the browser back to the console, whatever its origin, and the console hands on what it was given. So the
cookie that binds a sign-in to its browser is kept and sent as that of the session is (decision 0046).
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.front import Front
from functions.identity.oidc.rounds import BINDER, LIFETIME_SECONDS, is_binder
from functions.identity.oidc.schemas import (
    LinkAccountRequest,
    LinkStepBody,
    MethodsBody,
    OidcCallbackRequest,
    OidcEnteredBody,
    OidcStartBody,
    ProviderBody,
)
from functions.identity.oidc.service import Elsewhere, LinkStep
from functions.identity.oidc.settings import OidcSettings
from functions.identity.service import Identity
from shared.auth.access import Principal
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import PUBLIC, signed_in
from shared.auth.keys import make_token
from shared.core.problems import FORBIDDEN, Problem
from shared.mail.mailer import mailer_of
from shared.runtime.refusals import problems, public_problems
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]

CALLBACK = "/sign-in/oidc"
"""The page of the console to which the provider sends the browser back."""


def oidc(resources: Resources, identity: Identity, front: Front) -> APIRouter:
    """The routes below `/v1/auth/oidc`, and `/v1/auth/methods`."""
    router = APIRouter(prefix="/v1/auth", tags=["identity"])
    elsewhere = Elsewhere(resources, identity, OidcSettings())
    mailer = mailer_of(resources)
    public_url = resources.settings.public_url.rstrip("/")
    consoles = {"://".join(urlsplit(public_url)[:2]), *resources.settings.console_origins}

    def console_at(origin: str | None) -> str:
        """Where the provider sends the browser back. Raises Problem 403 for what only the request says Weir's is."""
        if origin is None:
            return public_url
        if origin not in consoles:
            raise Problem(
                FORBIDDEN,
                f"A provider sends nobody back to this address. Open Weir at {public_url} and sign in there.",
                internal=f"origin {origin!r}",
            )
        return origin

    @router.get("/methods", openapi_extra=PUBLIC)
    async def get_methods() -> MethodsBody:
        """The ways to sign in that there are."""
        provider = None if elsewhere.name is None else ProviderBody(name=elsewhere.name)
        return MethodsBody(oidc=provider, mail=mailer.is_configured)

    @router.post("/oidc", openapi_extra=public_problems(403, 404, 429))
    @changes_nothing
    async def begin_oidc(request: Request, response: Response) -> OidcStartBody:
        """Begin to sign in by the provider."""
        visitor = front.visitor(request)
        kept = front.kept(request, BINDER)
        redirect_uri = f"{console_at(visitor.origin)}{CALLBACK}"
        # One for all of a browser's tabs, or the second that begins would spoil the first.
        binder = kept if kept is not None and is_binder(kept) else make_token()
        url = await elsewhere.begin(visitor, binder, redirect_uri)
        front.keep(response, BINDER, binder, LIFETIME_SECONDS)
        return OidcStartBody(authorization_url=url)

    @router.post("/oidc/callback", openapi_extra=public_problems(401, 403, 404, 409))
    async def finish_oidc(
        body: OidcCallbackRequest, request: Request, response: Response, by: Author
    ) -> OidcEnteredBody:
        """Come in by what the provider has answered."""
        visitor = front.visitor(request)
        kept = front.kept(request, BINDER)
        entered = await elsewhere.finish(
            visitor,
            by,
            binder=kept,
            state=body.state.get_secret_value(),
            code=body.code.get_secret_value(),
            said_issuer=body.iss,
            invitation=None if body.invitation is None else body.invitation.get_secret_value(),
        )
        if isinstance(entered, LinkStep):
            # The ticket has its own time from here on.
            front.keep(response, BINDER, kept or "", LIFETIME_SECONDS)
            return LinkStepBody(
                next="link", email=entered.email, ticket=entered.ticket, expires_at=entered.expires_at
            )
        return front.answer(response, entered, visitor)

    @router.post("/oidc/link", status_code=204, openapi_extra=problems(403, 404, 409))
    async def link_oidc(body: LinkAccountRequest, request: Request, caller: Caller, by: Author) -> None:
        """Have one's account signed in to by the provider from now on."""
        front.visitor(request)
        await elsewhere.link(
            caller, by, binder=front.kept(request, BINDER), ticket=body.ticket.get_secret_value()
        )

    return router
