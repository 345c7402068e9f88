"""The HTTP surface of passkeys."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.front import Front
from functions.identity.passkeys.schemas import (
    NewPasskeyBody,
    OptionsBody,
    OptionsRequest,
    PasskeyBody,
    PasskeyName,
    PasskeyRequest,
    PasskeySignInRequest,
)
from functions.identity.passkeys.service import Passkeys
from functions.identity.schemas import SessionBody
from shared.auth.access import Principal
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import signed_in
from shared.runtime.refusals import problems, public_problems

if TYPE_CHECKING:
    from asyncpg import Record

Caller = Annotated[Principal, Depends(signed_in)]


def passkeys(front: Front, service: Passkeys) -> APIRouter:
    """Signing in with a passkey, and the passkeys of an account."""
    router = APIRouter()

    @router.post(
        "/v1/auth/passkey/options", tags=["identity"], openapi_extra=public_problems(401, 403, 409, 429)
    )
    @changes_nothing
    async def ask_for_passkey(body: OptionsRequest, request: Request) -> OptionsBody:
        """What `navigator.credentials.get` is to be asked. Good for one answer within five minutes."""
        return OptionsBody(public_key=await service.options_to_show(body.ticket, front.visitor(request)))

    @router.post("/v1/auth/passkey", tags=["identity"], openapi_extra=public_problems(401, 403, 409, 429))
    async def sign_in_with_passkey(
        body: PasskeySignInRequest, request: Request, response: Response, by: Author
    ) -> SessionBody:
        """Sign in with a passkey, or go on with one as the second factor."""
        visitor = front.visitor(request)
        started = await service.sign_in(_plain(body.credential), body.ticket, visitor, by)
        return front.session(response, started, visitor)

    @router.post("/v1/me/passkeys/options", tags=["account"], openapi_extra=problems(409))
    @changes_nothing
    async def ask_for_new_passkey(caller: Caller, request: Request) -> OptionsBody:
        """What `navigator.credentials.create` is to be asked. Needs a recent proof."""
        return OptionsBody(public_key=await service.options_to_make(caller, front.visitor(request, caller)))

    @router.post("/v1/me/passkeys", status_code=201, tags=["account"], openapi_extra=problems(409))
    async def add_passkey(
        body: PasskeyRequest, caller: Caller, request: Request, by: Author
    ) -> NewPasskeyBody:
        """Add a passkey that was made. Needs a recent proof."""
        row, codes = await service.add(
            caller, body.name.strip(), _plain(body.credential), front.visitor(request, caller), by
        )
        return NewPasskeyBody(**passkey_body(row).model_dump(by_alias=False), recovery_codes=codes)

    @router.put("/v1/me/passkeys/{passkey}", status_code=204, tags=["account"])
    async def rename_passkey(passkey: UUID, body: PasskeyName, caller: Caller, by: Author) -> None:
        """Call a passkey something else."""
        await service.rename(caller, passkey, body.name.strip(), by)

    @router.delete("/v1/me/passkeys/{passkey}", status_code=204, tags=["account"])
    async def remove_passkey(passkey: UUID, caller: Caller, request: Request, by: Author) -> None:
        """Forget a passkey. Needs a recent proof."""
        await service.remove(caller, passkey, front.visitor(request, caller), by)

    return router


def passkey_body(row: "Record") -> PasskeyBody:
    """How a passkey looks on the wire."""
    return PasskeyBody(
        id=row["id"],
        name=row["name"],
        relying_party=row["relying_party"],
        is_synced=row["is_synced"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
    )


def _plain(shown: BaseModel) -> dict[str, Any]:
    return shown.model_dump(by_alias=True, exclude_none=True)
