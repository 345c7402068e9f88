"""The declaration of `replays`."""

from shared.runtime.function import Function

FUNCTION = Function(
    name="replays",
    summary="Delivers stored events again, and cancels what waits: counts first, then starts, pauses and ends it",
    entry="functions.replays.app:create",
    routes=("/v1/projects/{project}/replays", "/v1/projects/{project}/cancellations"),
    wakes=True,
)
