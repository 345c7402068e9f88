"""The HTTP surface of passwords."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from functions.identity.front import Front
from functions.identity.passwords.schemas import ForgottenBody, ForgottenRequest, PasswordRequest
from functions.identity.passwords.service import AccountPasswords
from functions.identity.service import Identity
from shared.auth.access import Principal
from shared.auth.acting import Author
from shared.auth.dependency import signed_in
from shared.runtime.refusals import problems, public_problems

Caller = Annotated[Principal, Depends(signed_in)]


def passwords(identity: Identity, front: Front) -> APIRouter:
    """The routes that set a password, and that help whoever forgot it."""
    router = APIRouter(tags=["account"])
    service = AccountPasswords(identity)

    @router.put("/v1/me/password", status_code=204, openapi_extra=problems(429))
    async def set_password(body: PasswordRequest, caller: Caller, request: Request, by: Author) -> None:
        """Set one's password; the user's other sessions end. Needs a recent proof."""
        current = body.current_password
        await service.set(
            caller,
            body.password.get_secret_value(),
            None if current is None else current.get_secret_value(),
            front.visitor(request, caller),
            by,
        )

    @router.post("/v1/auth/forgotten", status_code=202, openapi_extra=public_problems(403, 429))
    async def forget_password(body: ForgottenRequest, request: Request, by: Author) -> ForgottenBody:
        """Ask for a link to sign in with. The answer is the same whether or not the address is somebody's."""
        asked = await service.forgotten(body.email, front.visitor(request), by)
        by.changed_nothing()
        return ForgottenBody(by=asked)

    return router
