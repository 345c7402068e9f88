"""The HTTP surface of sign-in on a device: OAuth's device grant (RFC 8628) in Weir's own spelling.

What a device calls takes and gives its tokens in bodies, sees no cookie, and is closed to browsers: so no page can use it
with a cookie that it does not have in its hands.
"""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.requests import Request

from functions.identity.device.codes import INTERVAL_SECONDS
from functions.identity.device.schemas import (
    DeviceBody,
    DeviceCodeRequest,
    DeviceCodesBody,
    DevicePendingBody,
    DeviceRequest,
    DeviceSessionBody,
    RefreshTokenRequest,
    UserCodeRequest,
)
from functions.identity.device.service import Devices
from functions.identity.entered import SignedIn
from functions.identity.front import Front, user_body
from functions.identity.service import Identity
from functions.identity.visitor import Visitor
from shared.auth.access import Principal
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import signed_in
from shared.auth.links import console_of
from shared.core.problems import FORBIDDEN, Problem
from shared.runtime.refusals import problems, public_problems
from shared.runtime.resources import Resources

Caller = Annotated[Principal, Depends(signed_in)]


def device(resources: Resources, identity: Identity, front: Front) -> APIRouter:
    """The routes below `/v1/auth/device`."""
    router = APIRouter(prefix="/v1/auth/device", tags=["identity"])
    devices = Devices(resources, identity)
    page = f"{console_of(resources.settings)}/device"

    def program(request: Request) -> Visitor:
        """Who asks, if it is no browser: those say where a request comes from. Raises Problem 403."""
        if "origin" in request.headers or "sec-fetch-site" in request.headers:
            raise Problem(FORBIDDEN, "This is for programs; a browser signs in by its own page.")
        return front.visitor(request)

    @router.post("", openapi_extra=public_problems(403, 429))
    @changes_nothing
    async def ask_for_device(body: DeviceRequest, request: Request) -> DeviceCodesBody:
        """Ask for a session for a device: a code for it, and one for whoever approves it in a browser."""
        codes = await devices.ask(program(request), body.name)
        return DeviceCodesBody(
            device_code=codes.device_code,
            user_code=codes.user_code,
            verification_uri=page,
            # Behind the `#` no server and no log sees it.
            verification_uri_complete=f"{page}#code={quote(codes.user_code)}",
            expires_at=codes.expires_at,
            interval_seconds=INTERVAL_SECONDS,
        )

    @router.post("/token", openapi_extra=public_problems(401, 403, 429))
    async def poll_device(
        body: DeviceCodeRequest, request: Request, by: Author
    ) -> DeviceSessionBody | DevicePendingBody:
        """What became of it: `pending`, or the session. 403 when it was denied, 401 when it has expired."""
        came = await devices.poll(body.device_code.get_secret_value(), program(request), by)
        if isinstance(came, SignedIn):
            return session_body(came)
        return DevicePendingBody(state="pending", interval_seconds=came.interval_seconds)

    @router.post("/refresh", openapi_extra=public_problems(401, 403))
    async def refresh_device(body: RefreshTokenRequest, request: Request, by: Author) -> DeviceSessionBody:
        """Exchange a device's refresh token for a new one and a new access token."""
        return session_body(
            await devices.refresh(body.refresh_token.get_secret_value(), program(request), by)
        )

    @router.post("/sign-out", status_code=204, openapi_extra=public_problems(403))
    async def sign_out_device(body: RefreshTokenRequest, request: Request, by: Author) -> None:
        """End a device's session."""
        program(request)
        await devices.sign_out(body.refresh_token.get_secret_value(), by)

    @router.post("/lookup", openapi_extra=problems(403, 404, 429))
    @changes_nothing
    async def find_device(body: UserCodeRequest, caller: Caller) -> DeviceBody:
        """The device that shows this code, for whoever is to approve it."""
        asked = await devices.asked(caller, body.user_code)
        return DeviceBody.model_validate(asked, from_attributes=True)

    @router.post("/approve", status_code=204, openapi_extra=problems(403, 404, 429))
    async def approve_device(body: UserCodeRequest, caller: Caller, request: Request, by: Author) -> None:
        """Give that device a session of one's own: it may do all that one may oneself. Needs a recent proof."""
        await devices.decide(caller, body.user_code, "approved", front.visitor(request, caller), by)

    @router.post("/deny", status_code=204, openapi_extra=problems(403, 404, 429))
    async def deny_device(body: UserCodeRequest, caller: Caller, request: Request, by: Author) -> None:
        """Refuse that device."""
        await devices.decide(caller, body.user_code, "denied", front.visitor(request, caller), by)

    return router


def session_body(started: SignedIn) -> DeviceSessionBody:
    """A device's session as it is answered."""
    return DeviceSessionBody(
        state="approved",
        access_token=started.access.text,
        expires_at=datetime.fromtimestamp(started.access.expires_at, UTC),
        refresh_token=started.refresh_token,
        user=user_body(started.user),
    )
