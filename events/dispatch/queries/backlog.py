"""Deliveries that wait as rows: what is due, and whose turn it is in an order."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from events.dispatch.queries.statement import EVENT, TIMEOUT_SECONDS, Connection

WAITING_LIMIT = 10_000
NIL = UUID(int=0)


Kind = Literal["live", "letters", "repeats"]
"""Deliveries as they come, dead letters on their way to a sink of their own, and what a replay delivers again."""

KINDS: tuple[Kind, ...] = ("live", "letters", "repeats")


class Lane(NamedTuple):
    """What waits for one sink: the deliveries of a subscription, its dead letters, which go to another, or its repeats."""

    subscription_id: UUID
    kind: Kind

    @property
    def dead_letters(self) -> bool:
        """Whether it leads to the other sink."""
        return self.kind == "letters"


# The first of each order that still has to be delivered becomes due, once all before it have ended. The row itself is
# asked, for it may have been cancelled or held since the first was looked for.
PROMOTE = """
WITH heads AS MATERIALIZED (
    SELECT head.* FROM unnest($1::uuid[], $2::text[]) AS o (subscription_id, order_key)
    CROSS JOIN LATERAL (
        SELECT f.id, f.shard, f.subscription_id, f.order_key, f.status, f.held, f.next_attempt_at
        FROM deliveries f
        WHERE f.subscription_id = o.subscription_id AND f.order_key = o.order_key
          AND f.status IN ('pending', 'retrying')
        ORDER BY f.position, f.event_uid LIMIT 1
    ) head
), promoted AS (
    UPDATE deliveries d SET next_attempt_at = now() FROM heads
    WHERE d.id = heads.id AND d.status = 'pending' AND NOT d.held AND d.next_attempt_at IS NULL
    RETURNING d.id
)
SELECT h.id, h.shard, h.subscription_id, h.order_key, h.held, p.id IS NOT NULL AS promoted,
    p.id IS NULL AND h.status = 'pending' AND NOT h.held AND h.next_attempt_at IS NULL AS missed
FROM heads h LEFT JOIN promoted p USING (id)
"""

# What comes after the first of an order, to be at hand when that has ended. Long ones are not worth the memory.
FOLLOWERS = f"""
SELECT d.id AS delivery_id, d.project_id, d.subscription_id, d.shard, d.order_key, d.replay_id, {EVENT}
FROM unnest($1::uuid[], $2::text[]) AS o (subscription_id, order_key)
CROSS JOIN LATERAL (
    SELECT * FROM deliveries d
    WHERE d.subscription_id = o.subscription_id AND d.order_key = o.order_key
      AND d.status IN ('pending', 'retrying')
    ORDER BY d.position, d.event_uid OFFSET 1 LIMIT $3
) d
JOIN events e ON e.uid = d.event_uid
WHERE d.status = 'pending' AND d.attempt_count = 0 AND NOT d.held AND coalesce(octet_length(e.data), 0) <= $4
LIMIT $5
"""  # noqa: S608 put together from constants

WAITING_ORDERS = """
SELECT DISTINCT shard, subscription_id, order_key FROM deliveries
WHERE subscription_id = ANY($1) AND shard = ANY($2::smallint[]) AND order_key IS NOT NULL
  AND status IN ('pending', 'retrying')
LIMIT $3
"""

# Resuming a subscription makes all of its rows due, those behind the first of their order too.
DEMOTE = """
UPDATE deliveries d SET next_attempt_at = NULL
WHERE d.subscription_id = ANY($1::uuid[]) AND d.shard = ANY($2::smallint[]) AND d.order_key IS NOT NULL
  AND d.status = 'pending' AND d.next_attempt_at <= now()
  AND EXISTS (
      SELECT 1 FROM deliveries b
      WHERE b.subscription_id = d.subscription_id AND b.order_key = d.order_key
        AND b.status IN ('pending', 'retrying')
        AND (b.position, b.event_uid) < (d.position, d.event_uid))
"""


ALIVE = "d.status <> 'dead' AND d.replay_id IS NULL"
DEAD = "d.status = 'dead'"
REPEATED = "d.status <> 'dead' AND d.replay_id IS NOT NULL"
FIRST_OF_ITS_ORDER = """(d.order_key IS NULL OR NOT EXISTS (
          SELECT 1 FROM deliveries b
          WHERE b.subscription_id = d.subscription_id AND b.order_key = d.order_key
            AND b.status IN ('pending', 'retrying')
            AND (b.position, b.event_uid) < (d.position, d.event_uid)))"""


def _waiting(kind: str) -> str:
    """A loose index scan: one probe for each subscription that has something of that kind waiting."""
    columns = "d.subscription_id, d.next_attempt_at FROM deliveries d"
    waits = f"d.next_attempt_at IS NOT NULL AND {kind} AND d.shard = ANY($1::smallint[]) AND d.id <> ALL($2::uuid[])"
    order = "ORDER BY d.subscription_id, d.next_attempt_at LIMIT 1"
    return f"""
WITH RECURSIVE waiting AS (
    (SELECT {columns} WHERE d.subscription_id > $3 AND {waits} {order})
    UNION ALL
    SELECT n.subscription_id, n.next_attempt_at FROM waiting w CROSS JOIN LATERAL (
        SELECT {columns} WHERE d.subscription_id > w.subscription_id AND {waits} {order}
    ) n
)
SELECT subscription_id, extract(epoch FROM next_attempt_at - now())::float8 AS due_in,
    extract(epoch FROM now())::float8 AS now
FROM waiting LIMIT $4
"""  # noqa: S608 put together from constants


# The events are looked up one by one: with a long backlog the planner would rather read all of them.
def _due(kind: str) -> str:
    return f"""
SELECT d.id AS delivery_id, d.project_id, d.subscription_id, d.shard, d.status, d.attempt_count, d.order_key,
    d.dead_letter, d.last_status_code, d.last_error, d.replay_id, d.attempts_before, p.version, {EVENT}
FROM unnest($1::uuid[], $2::integer[]) AS s (subscription_id, room)
CROSS JOIN LATERAL (
    SELECT * FROM deliveries d
    WHERE d.subscription_id = s.subscription_id AND d.next_attempt_at <= now()
      AND d.shard = ANY($3::smallint[]) AND d.id <> ALL($4::uuid[]) AND {kind}
    ORDER BY d.next_attempt_at LIMIT s.room
) d
LEFT JOIN projects p ON p.id = d.project_id
LEFT JOIN LATERAL (SELECT * FROM events WHERE uid = d.event_uid OFFSET 0) e ON true
"""  # noqa: S608 put together from constants


WAITING: dict[Kind, str] = {
    "live": _waiting(ALIVE),
    "letters": _waiting(DEAD),
    "repeats": _waiting(REPEATED),
}
DUE: dict[Kind, str] = {
    "live": _due(f"{ALIVE} AND {FIRST_OF_ITS_ORDER}"),
    "letters": _due(DEAD),
    "repeats": _due(f"{REPEATED} AND {FIRST_OF_ITS_ORDER}"),
}


async def waiting(
    connection: Connection,
    shards: Collection[int],
    under_way: Collection[UUID],
    *,
    kind: Kind = "live",
    after: UUID = NIL,
    limit: int = WAITING_LIMIT,
) -> tuple[dict[Lane, float], float | None]:
    """Lanes of that kind with something that waits, and in how many seconds the first of each is due.

    At most `limit`, by the ids of their subscriptions, which come after that id. With the Unix time by which it is
    reckoned; None where nothing waits.
    """
    values = (list(shards), list(under_way), after, limit)
    rows = await connection.fetch(WAITING[kind], *values, timeout=TIMEOUT_SECONDS)
    return {Lane(row[0], kind): row[1] for row in rows}, rows[0][2] if rows else None


async def due(
    connection: Connection, rooms: Mapping[Lane, int], shards: Collection[int], under_way: Collection[UUID]
) -> list[asyncpg.Record]:
    """Deliveries whose time has come, for each lane in `rooms` at most so many, the oldest first."""
    found: list[asyncpg.Record] = []
    for kind, statement in DUE.items():
        lanes = [(lane.subscription_id, room) for lane, room in rooms.items() if lane.kind == kind]
        if lanes:
            columns = zip(*lanes, strict=True)
            found += await connection.fetch(
                statement, *columns, list(shards), list(under_way), timeout=TIMEOUT_SECONDS
            )
    return found


async def promote(connection: Connection, orders: Collection[tuple[UUID, str]]) -> list[asyncpg.Record]:
    """Make the first waiting delivery of each (subscription, order key) due.

    Rows of those that have one: (id, shard, subscription_id, order_key, held, promoted, missed). Not `promoted` was due
    before or has to wait; `missed` was changed by somebody else meanwhile, and may be the first no more.
    """
    subscription_ids, keys = zip(*sorted(orders), strict=True)
    rows: list[asyncpg.Record] = await connection.fetch(
        PROMOTE, subscription_ids, keys, timeout=TIMEOUT_SECONDS
    )
    return rows


async def followers(
    connection: Connection, orders: Collection[tuple[UUID, str]], each: int, data_bytes: int, limit: int
) -> list[asyncpg.Record]:
    """What waits behind the first of each order, at most `each` of one and `limit` in all."""
    subscription_ids, keys = zip(*orders, strict=True)
    rows: list[asyncpg.Record] = await connection.fetch(
        FOLLOWERS, subscription_ids, keys, each, data_bytes, limit, timeout=TIMEOUT_SECONDS
    )
    return rows


async def waiting_orders(
    connection: Connection, subscription_ids: Collection[UUID], shards: Collection[int], limit: int
) -> list[asyncpg.Record]:
    """The orders (shard, subscription_id, order_key) that have something waiting, at most `limit`."""
    rows: list[asyncpg.Record] = await connection.fetch(
        WAITING_ORDERS, list(subscription_ids), list(shards), limit, timeout=TIMEOUT_SECONDS
    )
    return rows


async def demote(connection: Connection, subscription_ids: Collection[UUID], shards: Collection[int]) -> None:
    """Take back the time of deliveries that are not the first of their order, in shards whose lock is held."""
    await connection.execute(DEMOTE, sorted(subscription_ids), list(shards), timeout=TIMEOUT_SECONDS)
