"""The HTTP surface of roles."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from functions.projects.roles import service
from functions.projects.roles.schemas import PermissionBody, RoleBody, RoleList, RoleReplace, RoleRequest
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.auth.permissions import MEANINGS
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

# Who sees the people sees what their roles mean.
Reader = Annotated[Access, Depends(requires("members:read"))]
Writer = Annotated[Access, Depends(requires("roles:write"))]


def roles(resources: Resources) -> APIRouter:
    """The routes below `/v1/projects/{project}/roles`."""
    router = APIRouter(prefix="/v1/projects/{project}/roles", tags=["roles"])

    @router.get("")
    async def list_roles(access: Reader) -> RoleList:
        """The roles that members may have, built-in ones included."""
        found = await service.list_roles(resources, access)
        return RoleList(
            items=[RoleBody.model_validate(role) for role in found],
            permissions=[
                PermissionBody(name=name, description=meaning) for name, meaning in MEANINGS.items()
            ],
        )

    @router.post("", status_code=201, openapi_extra=problems(409))
    async def create_role(body: RoleRequest, access: Writer, by: Author, response: Response) -> RoleBody:
        """Make a role for this project. Nobody gives more than they may do themselves."""
        made = await service.create_role(resources, access, by, body)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/roles/{made['name']}"
        return RoleBody.model_validate(made)

    @router.get("/{role}")
    async def get_role(role: str, access: Reader) -> RoleBody:
        """One role."""
        return RoleBody.model_validate(await service.get_role(resources, access, role))

    @router.put("/{role}", openapi_extra=problems(409))
    async def replace_role(role: str, body: RoleReplace, access: Writer, by: Author) -> RoleBody:
        """Change a role for everybody who has it, everywhere within a second. Built-in ones stay as they are."""
        return RoleBody.model_validate(await service.replace_role(resources, access, by, role, body))

    @router.delete("/{role}", status_code=204, openapi_extra=problems(409))
    async def delete_role(role: str, access: Writer, by: Author) -> None:
        """Delete a role that nobody has."""
        await service.delete_role(resources, access, by, role)

    return router
