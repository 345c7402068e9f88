"""What a replay does to rows: opens deliveries again, or cancels those that wait."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection

# Its order is one of its own, so that what is live waits for none of it; of the same key it keeps the order. Who is the
# first of it is due, and so are the others: dispatch takes that back, as when a subscription is resumed.
REOPEN = """
UPDATE deliveries d
SET status = 'pending', held = false, next_attempt_at = now(), ended_at = NULL, dead_letter = NULL,
    attempts_before = d.attempt_count, replay_id = $2::uuid,
    order_key = $2::uuid::text || ':' || CASE
        WHEN d.order_key LIKE d.replay_id::text || ':%' THEN substr(d.order_key, 38) ELSE d.order_key END
FROM unnest($3::uuid[]) AS o (id)
WHERE d.project_id = $1 AND d.id = o.id AND d.id >= $4 AND d.id <= $5 AND d.status = ANY($6::text[]) AND NOT d.held
RETURNING d.shard
"""

CANCEL = """
UPDATE deliveries d SET status = 'cancelled', ended_at = now(), next_attempt_at = NULL, held = false
FROM unnest($2::uuid[]) AS o (id)
WHERE d.project_id = $1 AND d.id = o.id AND d.id >= $3 AND d.id <= $4 AND d.status IN ('pending', 'retrying')
RETURNING d.shard, d.subscription_id, d.order_key
"""

# Who comes next in an order waits for the first to end: dispatch sees no end that was decided elsewhere.
NEXT_IN_ORDER = """
UPDATE deliveries d SET next_attempt_at = now()
FROM unnest($2::uuid[], $3::text[]) AS o (subscription_id, order_key)
CROSS JOIN LATERAL (
    SELECT f.id FROM deliveries f
    WHERE f.project_id = $1 AND f.subscription_id = o.subscription_id AND f.order_key = o.order_key
      AND f.status IN ('pending', 'retrying')
    ORDER BY f.position, f.event_uid LIMIT 1
) head
WHERE d.project_id = $1 AND d.id = head.id AND d.status = 'pending' AND NOT d.held AND d.next_attempt_at IS NULL
RETURNING d.shard
"""

# What was tried and not taken is a dead letter, what was never tried is cancelled. What had been taken before stays that.
CLOSE = """
UPDATE deliveries d
SET status = CASE WHEN d.attempt_count = 0 THEN 'cancelled' WHEN d.last_status_code BETWEEN 200 AND 299 THEN 'delivered'
        ELSE 'dead' END,
    ended_at = now(), next_attempt_at = NULL, held = false
WHERE d.project_id = $1 AND d.replay_id = $2 AND d.status IN ('pending', 'retrying')
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """How many rows were changed, and the shards that have work by that."""

    count: int
    shards: frozenset[int]


NOTHING = Opened(0, frozenset())


async def reopen(
    conn: "Connection", project_id: UUID, replay_id: UUID, ids: Sequence[UUID], statuses: Collection[str]
) -> Opened:
    """Let the deliveries `ids` be attempted again, those that are in one of `statuses` still."""
    if not ids:
        return NOTHING
    rows = await conn.fetch(REOPEN, project_id, replay_id, ids, min(ids), max(ids), list(statuses))
    return Opened(len(rows), frozenset(row["shard"] for row in rows))


async def cancel(conn: "Connection", project_id: UUID, ids: Sequence[UUID]) -> Opened:
    """End the deliveries `ids`, those that wait still."""
    if not ids:
        return NOTHING
    rows = await conn.fetch(CANCEL, project_id, ids, min(ids), max(ids))
    orders = {(row["subscription_id"], row["order_key"]) for row in rows if row["order_key"] is not None}
    shards: frozenset[int] = frozenset()
    if orders:
        subscriptions, keys = zip(*sorted(orders), strict=True)
        following = await conn.fetch(NEXT_IN_ORDER, project_id, subscriptions, keys)
        shards = frozenset(row["shard"] for row in following)
    return Opened(len(rows), shards)


async def close(conn: "Connection", project_id: UUID, replay_id: UUID) -> None:
    """End what a replay has opened and is not delivered yet."""
    await conn.execute(CLOSE, project_id, replay_id)
