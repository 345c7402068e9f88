"""The declaration of `subscriptions`."""

from shared.runtime.function import Function, Size

FUNCTION = Function(
    name="subscriptions",
    summary="Keeps what is to be delivered where and how, and previews filters on stored events",
    entry="functions.subscriptions.app:create",
    routes=("/v1/projects/{project}/subscriptions",),
    calls_out=True,  # test events
    # It evaluates transforms as `dispatch` does, to preview them.
    size=Size(memory_max_mebibytes=1280),
    # Test events of users must not reach Weir's own broker, should somebody bind all functions to it.
    environment={"WEIR_BOUND_SINK": "false"},
)
