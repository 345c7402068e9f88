"""The HTTP surface of notices; those that there are come with `GET /v1/me`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from functions.identity.notices.service import put_away
from functions.identity.service import Identity, user_id_of
from shared.auth.access import Principal
from shared.auth.acting import changes_nothing
from shared.auth.dependency import signed_in

Caller = Annotated[Principal, Depends(signed_in)]


def notices(identity: Identity) -> APIRouter:
    """The route of one notice."""
    router = APIRouter(prefix="/v1/me/notices", tags=["account"])

    @router.delete("/{notice}", status_code=204)
    @changes_nothing
    async def put_notice_away(notice: UUID, caller: Caller) -> None:
        """Show a notice no more. What it tells of stays in the audit log."""
        await put_away(identity.resources, user_id_of(caller), notice)

    return router
