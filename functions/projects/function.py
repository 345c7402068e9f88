"""The declaration of `projects`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="projects",
    summary="Keeps projects, their members, roles, producers, API keys and sources of webhooks; says who changed what",
    entry="functions.projects.app:create",
    routes=("/v1/projects", "/v1/me/audit"),
    calls_out=True,  # mail
)
