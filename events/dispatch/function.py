"""What brings events to sinks."""

from shared.runtime.function import Function, Scale

FUNCTION = Function(
    name="dispatch",
    summary="Decides who wants an event and delivers it",
    entry="events.dispatch.handler:create",
    on=("dev.weir.wake", "dev.weir.tick"),
    needs=frozenset({"postgres"}),
    imports=frozenset({"asyncpg", "redis"}),
    wakes=True,
    # One instance can hold every shard; more of them share the shards. A request is open for each shard that is busy.
    scale=Scale(maximum=8, concurrency=50, target=8),
    timeout_seconds=300,
    # On Knative its K_SINK is Weir's own broker, which users must not be able to write to.
    environment={"WEIR_BOUND_SINK": "false"},
)
