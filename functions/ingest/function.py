"""The door for producers."""

from shared.runtime.function import Function, Scale

FUNCTION = Function(
    name="ingest",
    summary="Takes CloudEvents in and answers when they are on disk",
    entry="functions.ingest.app:create",
    routes=("/in/{project}",),
    needs=frozenset({"postgres"}),
    wakes=True,
    wakes_early=True,
    scale=Scale(maximum=20, concurrency=250),
)
