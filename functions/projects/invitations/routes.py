"""The HTTP surface of invitations, on the project's side."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.projects.invitations.schemas import (
    InvitationBody,
    InvitationList,
    InvitationRequest,
    InvitationWithLinkBody,
)
from functions.projects.invitations.service import Invitations, Invited, State
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("members:read"))]
Writer = Annotated[Access, Depends(requires("members:write"))]


def invitations(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/invitations`. They are accepted at `/v1/auth/invitation`."""
    router = APIRouter(prefix="/v1/projects/{project}/invitations", tags=["members"])
    service = Invitations(resources)

    @router.get("")
    async def list_invitations(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> InvitationList:
        """The project's invitations that nobody has accepted, newest first."""
        found, following = await service.page(access, limit=limit, cursor=cursor)
        return InvitationList(
            items=[InvitationBody(**members(one.row, one.state)) for one in found], next=following
        )

    @router.post("", status_code=201, openapi_extra=problems(409, 429))
    async def create_invitation(
        body: InvitationRequest, access: Writer, by: Author, response: Response
    ) -> InvitationWithLinkBody:
        """Invite somebody by a link, which is answered this once. Nobody invites to what they may not do themselves."""
        invited = await service.create(access, by, email=body.email, role=body.role)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/invitations/{invited.row['id']}"
        return with_link(invited)

    @router.post("/{invitation}/resend", openapi_extra=problems(429))
    async def resend_invitation(invitation: str, access: Writer, by: Author) -> InvitationWithLinkBody:
        """Make another link for a week, which is answered this once; the one before is void."""
        return with_link(await service.resend(access, by, invitation))

    @router.delete("/{invitation}", status_code=204)
    async def revoke_invitation(invitation: str, access: Writer, by: Author) -> None:
        """Make an invitation void."""
        await service.revoke(access, by, invitation)

    return router


def members(row: "Record", state: State) -> dict[str, Any]:
    """What is told of an invitation."""
    return {
        "id": row["id"],
        "email": row["email"],
        "role": row["role"],
        "state": state,
        "invited_by": {"id": row["invited_by"], "name": row["inviter"]},
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
    }


def with_link(invited: Invited) -> InvitationWithLinkBody:
    """The same for whoever has just made it."""
    return InvitationWithLinkBody(**members(invited.row, "pending"), link=invited.link, mailed=invited.mailed)
