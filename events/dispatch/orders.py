"""Which delivery of an order may go straight from memory: one that has nothing of its order before it.

A delivery that has not ended, in memory or as a row, keeps its order key taken; the key is free again when
the end is on record and no row of the order waits. So the next one starts after that, and after a crash nothing
is repeated behind what followed it.
"""

import time
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from events.dispatch import queries
from events.dispatch.work import Change, NewDelivery, Shard

if TYPE_CHECKING:
    import asyncpg

Order = tuple[UUID, str]
"""A subscription and an order key."""

KEYS = 20_000
"""Of a subscription with more orders that wait, every delivery becomes a row first."""

CROWDED_SECONDS = 5.0


def take_turn(shard: Shard, subscription_id: UUID, key: str) -> bool:
    """Enter a delivery of that order; whether nothing is before it."""
    taken = shard.orders.get(subscription_id)
    if taken is None:
        shard.unknown_orders.setdefault(subscription_id, 0.0)
        return False
    before = taken.get(key)
    taken[key] = (before or 0) + 1
    return before is None


def recorded(
    shards: Iterable[Shard],
    rows: Iterable[NewDelivery],
    changes: Iterable[Change],
    waiting: Collection[Order],
) -> None:
    """These are on record now; free the keys of which nothing waits, neither in memory nor among `waiting`."""
    by_number = {shard.number: shard for shard in shards}
    touched: set[tuple[Shard, UUID, str]] = set()
    for row in rows:
        if row.order_key is None or (shard := by_number.get(row.shard)) is None:
            continue
        if (taken := shard.orders.get(row.subscription.id)) is not None and row.order_key in taken:
            taken[row.order_key] -= 1
            touched.add((shard, row.subscription.id, row.order_key))
    for change in changes:
        if change.order_key is not None and change.subscription is not None:
            touched.add((change.shard, change.subscription.id, change.order_key))
    for shard, subscription_id, key in touched:
        taken = shard.orders.get(subscription_id, {})
        if taken.get(key) == 0 and (subscription_id, key) not in waiting:
            del taken[key]


async def promote(connection: "asyncpg.Connection", orders: Collection[Order]) -> "list[asyncpg.Record]":
    """Make due the first that waits of each of `orders`; those firsts, as of `queries.promote`."""
    firsts: list[asyncpg.Record] = []
    while orders:
        rows = await queries.promote(connection, orders)
        firsts += [row for row in rows if not row["missed"]]
        # Who has cancelled that one meanwhile saw the one before it still waiting: nobody else looks for the next.
        orders = {(row["subscription_id"], row["order_key"]) for row in rows if row["missed"]}
    return firsts


async def promote_resumed(
    connection: "asyncpg.Connection", held: Collection[Order]
) -> "list[asyncpg.Record]":
    """Do so again for orders whose first was held, once what they waited for is on record.

    Whoever resumes a subscription just then has seen that still waiting, and lets go of the first without making it due.
    The lock waits for that, and whoever resumes it from now on sees what is on record.
    """
    async with connection.transaction():
        states = await queries.states(connection, {subscription_id for subscription_id, _ in held})
        return await promote(connection, {order for order in held if states.get(order[0]) != "paused"})


async def learn(pool: "asyncpg.Pool", shards: Iterable[Shard]) -> None:
    """Ask which keys of orders that are not known have rows that wait.

    Nothing may be written for the shards meanwhile. What is routed meanwhile becomes rows, which are counted.
    """
    now = time.monotonic()
    asked = [
        (shard, subscription_id)
        for shard in shards
        for subscription_id, at in shard.unknown_orders.items()
        if at <= now and not shard.lost
    ]
    if not asked:
        return
    numbers = {shard.number for shard, _ in asked}
    found = await queries.waiting_orders(pool, {sub for _, sub in asked}, numbers, KEYS)
    for shard, subscription_id in asked:
        if len(found) >= KEYS:
            shard.unknown_orders[subscription_id] = now + CROWDED_SECONDS
            continue
        taken = {
            row["order_key"]: 0
            for row in found
            if (row["shard"], row["subscription_id"]) == (shard.number, subscription_id)
        }
        for work in shard.works:
            for delivery in work.rows:
                if delivery.subscription.id == subscription_id and delivery.order_key is not None:
                    taken[delivery.order_key] = taken.get(delivery.order_key, 0) + 1
        shard.orders[subscription_id] = taken
        del shard.unknown_orders[subscription_id]
