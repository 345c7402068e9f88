"""The declaration of `live`."""

from shared.runtime.function import Function, Scale, Size

FUNCTION = Function(
    name="live",
    summary="Sends events to whoever watches, as they are stored",
    entry="functions.live.app:create",
    routes=("/v1/projects/{project}/live",),
    # Every reader is a request that stays open: they wait far more than they work.
    scale=Scale(concurrency=250, target=200, warm=1),
    size=Size(memory_max_mebibytes=512),
    timeout_seconds=600,
)
