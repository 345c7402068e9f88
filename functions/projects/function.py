"""The declaration of `projects`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="projects",
    summary="Keeps projects, their members, roles, producers, API keys and sources of webhooks",
    entry="functions.projects.app:create",
    routes=("/v1/projects",),
    calls_out=True,  # mail
)
