"""What is done once a minute."""

from shared.runtime.function import Function, Scale, Size

FUNCTION = Function(
    name="housekeep",
    summary="Makes the partitions of the coming days, keeps the counts that screens show, archives what is old",
    entry="events.housekeep.handler:create",
    on=("dev.weir.tick",),
    needs=frozenset({"postgres"}),
    archives=True,
    imports=frozenset({"asyncpg"}),
    scale=Scale(maximum=1),
    timeout_seconds=300,
    size=Size(cpu_millicores=25, memory_mebibytes=128, memory_max_mebibytes=384),
)
