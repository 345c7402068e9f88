"""What is done once a minute."""

from shared.runtime.function import Function, Scale

FUNCTION = Function(
    name="housekeep",
    summary="Makes the partitions of the coming days",
    entry="events.housekeep.handler:create",
    on=("dev.weir.tick",),
    needs=frozenset({"postgres"}),
    imports=frozenset({"asyncpg"}),
    scale=Scale(maximum=1),
)
