"""What brings events to sinks."""

from shared.runtime.function import Function, Scale, Size

FUNCTION = Function(
    name="dispatch",
    summary="Decides who wants an event and delivers it",
    entry="events.dispatch.handler:create",
    on=("dev.weir.wake", "dev.weir.tick"),
    needs=frozenset({"postgres"}),
    imports=frozenset({"asyncpg", "redis"}),
    wakes=True,
    calls_out=True,
    # One instance can hold every shard; more of them share the shards. A request is open for each shard that is busy.
    scale=Scale(maximum=8, concurrency=50, target=10, warm=1),
    # Two child processes evaluate transforms, in WEIR_TRANSFORM_MEMORY_BYTES of address space each.
    size=Size(cpu_millicores=250, memory_mebibytes=192, memory_max_mebibytes=1280),
    timeout_seconds=300,
    # On Knative its K_SINK is Weir's own broker, which users must not be able to write to.
    environment={"WEIR_BOUND_SINK": "false"},
)
