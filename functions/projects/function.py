"""The declaration of `projects`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="projects",
    summary="Keeps projects, their API keys and the sources of third parties",
    entry="functions.projects.app:create",
    routes=("/v1/projects",),
)
