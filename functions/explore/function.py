"""The declaration of `explore`."""

from shared.runtime.function import Function, Scale

FUNCTION = Function(
    name="explore",
    summary="Finds stored events and their deliveries, and explains why an event went where it did",
    entry="functions.explore.app:create",
    routes=(
        "/v1/projects/{project}/events",
        "/v1/projects/{project}/deliveries",
        "/v1/projects/{project}/searches",
        "/v1/projects/{project}/overview",
        "/v1/projects/{project}/flow",
    ),
    scale=Scale(warm=1),
)
