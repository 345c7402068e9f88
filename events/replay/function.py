"""What works on replays."""

from shared.runtime.function import Function, Scale, Size

FUNCTION = Function(
    name="replay",
    summary="Opens what replays have selected, at their rate and while few wait",
    entry="events.replay.handler:create",
    on=("dev.weir.replay", "dev.weir.tick"),
    needs=frozenset({"postgres"}),
    imports=frozenset({"asyncpg"}),
    wakes=True,
    scale=Scale(maximum=2, concurrency=20),
    size=Size(cpu_millicores=50, memory_mebibytes=128, memory_max_mebibytes=512),
    timeout_seconds=300,
)
