"""The HTTP surface of second factors, and of what proves anew who is there."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from functions.identity.credentials import Credentials
from functions.identity.front import Front
from functions.identity.passkeys.routes import passkey_body
from functions.identity.passkeys.service import Passkeys
from functions.identity.schemas import SessionBody
from functions.identity.second_factor.schemas import (
    CodeRequest,
    CredentialsBody,
    NewTotpBody,
    ProofBody,
    ProofRequest,
    RecoveryCodesBody,
    SecondFactorRequest,
    TotpBody,
)
from functions.identity.second_factor.service import SecondFactors
from functions.identity.service import Identity
from shared.auth.access import Principal
from shared.auth.acting import Author
from shared.auth.dependency import signed_in
from shared.runtime.refusals import problems, public_problems

Caller = Annotated[Principal, Depends(signed_in)]


def second_factor(identity: Identity, front: Front, factors: SecondFactors, passkeys: Passkeys) -> APIRouter:
    """The second step of signing in, the account's second factors, and proofs."""
    router = APIRouter()
    credentials = Credentials(identity, factors, passkeys)

    @router.post("/v1/auth/second-factor", tags=["identity"], openapi_extra=public_problems(401, 403, 429))
    async def show_second_factor(
        body: SecondFactorRequest, request: Request, response: Response, by: Author
    ) -> SessionBody:
        """Go on signing in: with a code of the authenticator, or a recovery code."""
        visitor = front.visitor(request)
        started = await factors.complete(body.ticket, body.code, visitor, by)
        return front.session(response, started, visitor)

    @router.get("/v1/me/credentials", tags=["account"])
    async def get_credentials(caller: Caller, request: Request) -> CredentialsBody:
        """What one signs in with, and what would prove anew who one is."""
        found = await credentials.of(caller, front.visitor(request, caller))
        return CredentialsBody(
            has_password=found.has_password,
            current_password=found.needs_current_password,
            totp=None if found.totp_since is None else TotpBody(since=found.totp_since),
            passkeys=[passkey_body(row) for row in found.passkeys],
            passkeys_work_here=found.passkeys_work_here,
            recovery_codes_left=found.recovery_codes_left,
            proof_until=found.proof_until,
            proof_ways=list(found.proof_ways),
        )

    @router.post("/v1/me/proof", tags=["account"], openapi_extra=problems(429))
    async def prove(body: ProofRequest, caller: Caller, request: Request, by: Author) -> ProofBody:
        """Prove anew who one is, for what asks for a recent proof."""
        until = await credentials.prove(
            caller,
            password=None if body.password is None else body.password.get_secret_value(),
            code=body.code,
            passkey=None
            if body.passkey is None
            else body.passkey.model_dump(by_alias=True, exclude_none=True),
            visitor=front.visitor(request, caller),
            by=by,
        )
        by.changed_nothing()
        return ProofBody(until=until)

    @router.post("/v1/me/totp", tags=["account"], openapi_extra=problems(409))
    async def begin_totp(caller: Caller, by: Author) -> NewTotpBody:
        """A secret for an authenticator, which counts once a code of it was shown. Needs a recent proof."""
        made = await factors.begin(caller)
        by.changed_nothing()
        return NewTotpBody(secret=made.secret, uri=made.uri)

    @router.put("/v1/me/totp", tags=["account"], openapi_extra=problems(409, 429))
    async def confirm_totp(
        body: CodeRequest, caller: Caller, request: Request, by: Author
    ) -> RecoveryCodesBody:
        """Have the authenticator count from now on, by a code of it. Needs a recent proof."""
        codes = await factors.confirm(caller, body.code, front.visitor(request, caller), by)
        return RecoveryCodesBody(recovery_codes=codes)

    @router.delete("/v1/me/totp", status_code=204, tags=["account"])
    async def remove_totp(caller: Caller, request: Request, by: Author) -> None:
        """Ask for no codes of an authenticator any more. Needs a recent proof."""
        await factors.remove(caller, front.visitor(request, caller), by)

    @router.post("/v1/me/recovery-codes", tags=["account"], openapi_extra=problems(409, 429))
    async def renew_recovery_codes(caller: Caller, request: Request, by: Author) -> RecoveryCodesBody:
        """New recovery codes; those before are void. Needs a recent proof."""
        return RecoveryCodesBody(
            recovery_codes=await factors.renew_codes(caller, front.visitor(request, caller), by)
        )

    return router
