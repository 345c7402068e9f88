"""The declaration of `subscriptions`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="subscriptions",
    summary="Keeps what is to be delivered where and how, and previews filters on stored events",
    entry="functions.subscriptions.app:create",
    routes=("/v1/projects/{project}/subscriptions",),
    # Test events of users must not reach Weir's own broker, should somebody bind all functions to it.
    environment={"WEIR_BOUND_SINK": "false"},
)
