"""The door for producers."""

from shared.runtime.function import Function, Scale, Size

FUNCTION = Function(
    name="ingest",
    summary="Takes CloudEvents in and answers when they are on disk",
    entry="functions.ingest.app:create",
    routes=("/in/{project}",),
    needs=frozenset({"postgres"}),
    wakes=True,
    wakes_early=True,
    calls_out=True,  # issuers of producers' tokens, for their keys
    scale=Scale(maximum=20, concurrency=250, warm=2),
    # 112 MiB may wait in it: WEIR_BODIES_MAX_BYTES and WEIR_QUEUE_MAX_BYTES.
    size=Size(cpu_millicores=250, memory_mebibytes=192),
)
