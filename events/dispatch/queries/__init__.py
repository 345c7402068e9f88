"""The statements of dispatch.

Every write names the shards it is made for with the epoch of their lease, and takes the row locks of
those shards first. Who takes a shard over changes its epoch under the same lock: so a write of an owner that
was replaced finds nothing to write for, however long it was asleep. The lease's time decides when others
may take over; it need not be checked again where the epoch is still ours.
"""

from events.dispatch.queries.backlog import (
    KINDS,
    NIL,
    WAITING_LIMIT,
    Kind,
    Lane,
    demote,
    due,
    followers,
    promote,
    waiting,
    waiting_orders,
)
from events.dispatch.queries.health import (
    drop_health,
    holds,
    tell_health,
)
from events.dispatch.queries.leases import (
    acquire,
    bring_forward,
    claim,
    go,
    hand_over,
    owners,
    reclaim,
    release,
    renew,
)
from events.dispatch.queries.reading import (
    read,
    subscription_states,
    subscriptions,
)
from events.dispatch.queries.recording import (
    add_attempts,
    cancel_waiting,
    change,
    disable,
    ensure_partitions,
    record,
    states,
)

__all__ = [
    "KINDS",
    "NIL",
    "WAITING_LIMIT",
    "Kind",
    "Lane",
    "acquire",
    "add_attempts",
    "bring_forward",
    "cancel_waiting",
    "change",
    "claim",
    "demote",
    "disable",
    "drop_health",
    "due",
    "ensure_partitions",
    "followers",
    "go",
    "hand_over",
    "holds",
    "owners",
    "promote",
    "read",
    "reclaim",
    "record",
    "release",
    "renew",
    "states",
    "subscription_states",
    "subscriptions",
    "tell_health",
    "waiting",
    "waiting_orders",
]
