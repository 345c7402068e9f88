"""Who holds which shard, until when."""

from collections.abc import Collection, Sequence

import asyncpg

from events.dispatch.queries.statement import TIMEOUT_SECONDS, Connection, Row

ACQUIRE = """
UPDATE shards s
SET owner = $1, epoch = s.epoch + 1, lease_until = now() + $3::float8 * interval '1 second'
FROM (
    SELECT shard, owner, extract(epoch FROM lease_until - now())::float8 AS remaining FROM shards
    WHERE shard = ANY($2::smallint[]) AND (owner IS NULL OR lease_until IS NULL OR lease_until < now()
        OR lease_until > now() + 2 * $3::float8 * interval '1 second')
    ORDER BY shard FOR UPDATE SKIP LOCKED
) free
WHERE s.shard = free.shard
RETURNING s.shard, s.epoch, s.cursor_xid, s.cursor_uid, free.owner AS former,
    greatest(free.remaining - $3::float8, 0) AS set_back, extract(epoch FROM now())::float8 AS now
"""

RENEW = """
UPDATE shards s
SET lease_until = now() + $2::float8 * interval '1 second'
FROM unnest($3::smallint[], $4::bigint[]) AS h (shard, epoch)
WHERE s.shard = h.shard AND s.owner = $1 AND s.epoch = h.epoch
RETURNING s.shard
"""

RELEASE = """
UPDATE shards s SET owner = NULL, lease_until = NULL
FROM unnest($2::smallint[], $3::bigint[]) AS h (shard, epoch)
WHERE s.shard = h.shard AND s.owner = $1 AND s.epoch = h.epoch
"""

OWNERS = """
SELECT shard, owner, epoch, cursor_xid, cursor_uid,
    lease_until IS NULL OR lease_until < now() OR lease_until > now() + 2 * $1::float8 * interval '1 second'
        AS expired,
    extract(epoch FROM lease_until - now())::float8 AS left_seconds
FROM shards WHERE owner IS NOT NULL
UNION ALL
SELECT NULL, owner, NULL, NULL, NULL, false, NULL FROM dispatchers WHERE seen_until > now()
"""

HAND_OVER = """
UPDATE shards s
SET owner = h.heir, epoch = s.epoch + 1, lease_until = now() + $2::float8 * interval '1 second'
FROM unnest($3::smallint[], $4::bigint[], $5::text[]) AS h (shard, epoch, heir)
WHERE s.shard = h.shard AND s.owner = $1 AND s.epoch = h.epoch
"""

# What a dead owner had under way was put off to the end of its time-out: it is due now.
RECLAIM = """
UPDATE deliveries SET next_attempt_at = now()
WHERE shard = ANY($1::smallint[]) AND status = 'pending' AND next_attempt_at > now()
"""

# What was to happen by a clock that was set back since is due when it would have been. In two parts, because dead
# letters have an index of their own.
BRING_FORWARD = """
WITH dead_letters AS (
    UPDATE deliveries SET next_attempt_at = next_attempt_at - $2::float8 * interval '1 second'
    WHERE shard = ANY($1::smallint[]) AND next_attempt_at > now() AND status = 'dead'
)
UPDATE deliveries SET next_attempt_at = next_attempt_at - $2::float8 * interval '1 second'
WHERE shard = ANY($1::smallint[]) AND next_attempt_at > now() AND status <> 'dead'
"""


async def acquire(
    connection: Connection, owner: str, shards: Collection[int], seconds: float
) -> list[asyncpg.Record]:
    """Take the lease of those of `shards` that nobody holds.

    A lease that ends later than any can is nobody's: the clock was set back since it was written. Rows of (shard,
    epoch, cursor_xid, cursor_uid, former, set_back, now); `former` is an owner that did not give it back,
    `set_back` by how many seconds the clock was, at least, and `now` its Unix time.
    """
    rows: list[asyncpg.Record] = await connection.fetch(
        ACQUIRE, owner, sorted(shards), seconds, timeout=TIMEOUT_SECONDS
    )
    return rows


async def reclaim(connection: Connection, shards: Collection[int]) -> None:
    """Make due what the last owner of `shards` had under way."""
    await connection.execute(RECLAIM, sorted(shards), timeout=30)


async def bring_forward(connection: Connection, shards: Collection[int], seconds: float) -> None:
    """Make what waits in `shards` due so many seconds earlier."""
    await connection.execute(BRING_FORWARD, sorted(shards), seconds, timeout=30)


async def renew(connection: Connection, owner: str, leases: dict[int, int], seconds: float) -> set[int]:
    """Keep leases (shard to epoch) for `seconds` from now; the shards that are still ours."""
    rows = await connection.fetch(
        RENEW, owner, seconds, list(leases), list(leases.values()), timeout=TIMEOUT_SECONDS
    )
    return {row[0] for row in rows}


async def release(connection: Connection, owner: str, leases: dict[int, int]) -> None:
    """Give leases back."""
    await connection.execute(RELEASE, owner, list(leases), list(leases.values()), timeout=TIMEOUT_SECONDS)


async def owners(connection: Connection, seconds: float) -> list[asyncpg.Record]:
    """Who holds which shard, and with `shard` NULL those who would hold some.

    A lease is of so many `seconds`: one that ends far later has expired like one that has ended, see `acquire`.
    """
    rows: list[asyncpg.Record] = await connection.fetch(OWNERS, seconds, timeout=TIMEOUT_SECONDS)
    return rows


async def claim(connection: Connection, owner: str, seconds: float) -> None:
    """Say that `owner` would hold shards; those who said so long ago are forgotten."""
    await connection.execute(
        """
        WITH gone AS (DELETE FROM dispatchers WHERE seen_until < now() - interval '1 minute' AND owner <> $1)
        INSERT INTO dispatchers (owner, seen_until) VALUES ($1, now() + $2::float8 * interval '1 second')
        ON CONFLICT (owner) DO UPDATE SET seen_until = excluded.seen_until
        """,
        owner,
        seconds,
        timeout=TIMEOUT_SECONDS,
    )


async def hand_over(connection: Connection, owner: str, given: Sequence[Row], seconds: float) -> None:
    """Make others the owners: rows of (shard, epoch, heir). They have `seconds` to notice."""
    await connection.execute(HAND_OVER, owner, seconds, *zip(*given, strict=True), timeout=TIMEOUT_SECONDS)


async def go(connection: Connection, owner: str) -> None:
    """Forget `owner`, which holds nothing any more that it knows of."""
    await connection.execute("DELETE FROM dispatchers WHERE owner = $1", owner, timeout=TIMEOUT_SECONDS)
    await connection.execute(
        "UPDATE shards SET owner = NULL, lease_until = NULL WHERE owner = $1", owner, timeout=TIMEOUT_SECONDS
    )
