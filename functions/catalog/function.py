"""The declaration of `catalog`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="catalog",
    summary="Keeps what a project knows of its event types: their schemas and their facets",
    entry="functions.catalog.app:create",
    routes=("/v1/projects/{project}/types",),
)
