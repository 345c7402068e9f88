"""The HTTP surface of members."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends

from functions.projects.members import service
from functions.projects.members.schemas import MemberBody, MemberList, MemberRequest, RevokeKeys
from shared.auth.access import Access, Principal
from shared.auth.acting import Author
from shared.auth.dependency import requires, signed_in
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("members:read"))]
Writer = Annotated[Access, Depends(requires("members:write"))]
Caller = Annotated[Principal, Depends(signed_in)]


def members(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/members`. People come in by invitation."""
    router = APIRouter(prefix="/v1/projects/{project}/members", tags=["members"])

    @router.get("")
    async def list_members(access: Reader, limit: Limit = 50, cursor: Cursor = None) -> MemberList:
        """The people in the project, by name."""
        rows, following = await service.list_members(resources, access, limit=limit, cursor=cursor)
        return MemberList(items=[body_of(row) for row in rows], next=following)

    # Before `{user}`, which would take it for one.
    @router.delete("/me", status_code=204, openapi_extra=problems(409))
    async def leave_project(
        project: str, caller: Caller, by: Author, *, revoke_keys: RevokeKeys = False
    ) -> None:
        """Leave the project, whatever one may do in it. Its last owner cannot."""
        await service.leave(resources, caller, by, project, revoke_keys=revoke_keys)

    @router.get("/{user}")
    async def get_member(user: str, access: Reader) -> MemberBody:
        """One member."""
        return body_of(await service.get_member(resources, access, user))

    @router.put("/{user}", openapi_extra=problems(409))
    async def set_member_role(user: str, body: MemberRequest, access: Writer, by: Author) -> MemberBody:
        """Give a member another role, everywhere within a second. Nobody gives more than they may do themselves."""
        return body_of(await service.set_role(resources, access, by, user, body.role))

    @router.delete("/{user}", status_code=204, openapi_extra=problems(409))
    async def remove_member(
        user: str, access: Writer, by: Author, *, revoke_keys: RevokeKeys = False
    ) -> None:
        """End a membership, everywhere within a second. A project keeps its last owner."""
        await service.remove_member(resources, access, by, user, revoke_keys=revoke_keys)

    return router


def body_of(row: "Record") -> MemberBody:
    """A row as it is answered."""
    return MemberBody.model_validate(dict(row))
