"""The HTTP surface of a project's settings."""

from typing import Annotated

from fastapi import APIRouter, Depends

from functions.projects.settings import service
from functions.projects.settings.schemas import SettingsBody
from shared.auth.access import Access
from shared.auth.acting import Author
from shared.auth.dependency import requires
from shared.runtime.resources import Resources


def settings(resources: Resources) -> APIRouter:
    """The routes of `/v1/projects/{project}/settings`."""
    router = APIRouter(prefix="/v1/projects/{project}/settings", tags=["projects"])

    @router.get("")
    async def get_settings(access: Annotated[Access, Depends(requires("projects:read"))]) -> SettingsBody:
        """What the project takes in: its limits, and who may shake hands."""
        return SettingsBody.model_validate(dict(await service.get_settings(resources, access)))

    @router.put("")
    async def replace_settings(
        body: SettingsBody, access: Annotated[Access, Depends(requires("projects:write"))], by: Author
    ) -> SettingsBody:
        """Set the limits and the origins, everywhere within a second. What is absent is no limit."""
        return SettingsBody.model_validate(dict(await service.replace_settings(resources, access, by, body)))

    return router
