"""The declaration of `projects`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="projects",
    summary="Keeps projects, their producers, API keys and sources of webhooks, and says who changed what",
    entry="functions.projects.app:create",
    routes=("/v1/projects", "/v1/me/audit"),
    calls_out=True,  # mail
)
