"""The statements behind the gauges. Each looks at indexes, and stops counting where it no longer matters how many."""

from uuid import UUID

import asyncpg

TIMEOUT_SECONDS = 5
UNREAD_LIMIT = 10_000
RETRYING_LIMIT = 100_000

UNREAD = """
SELECT s.owner IS NOT NULL AND s.lease_until > now() AS owned, count(e.uid) AS unread,
    extract(epoch FROM now())::float8
        - min(('x0000' || left(replace(e.uid::text, '-', ''), 12))::bit(64)::bigint) / 1000.0::float8 AS seconds
FROM shards s LEFT JOIN LATERAL (
    SELECT uid FROM events e
    WHERE e.shard = s.shard AND (e.xid, e.uid) > (s.cursor_xid, s.cursor_uid)
    ORDER BY e.xid, e.uid LIMIT $1
) e ON true
GROUP BY s.shard, s.owner, s.lease_until
"""

# A loose scan of the index by which dispatch finds what is due: one probe for each subscription that has something.
OVERDUE = """
WITH RECURSIVE waiting AS (
    (SELECT subscription_id, next_attempt_at FROM deliveries
     WHERE next_attempt_at IS NOT NULL AND status <> 'dead'
     ORDER BY subscription_id, next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.subscription_id, n.next_attempt_at FROM waiting w CROSS JOIN LATERAL (
        SELECT d.subscription_id, d.next_attempt_at FROM deliveries d
        WHERE d.subscription_id > w.subscription_id AND d.next_attempt_at IS NOT NULL AND d.status <> 'dead'
        ORDER BY d.subscription_id, d.next_attempt_at LIMIT 1
    ) n
)
SELECT coalesce(extract(epoch FROM now() - min(w.next_attempt_at)), 0)::float8
FROM waiting w JOIN subscriptions s ON s.id = w.subscription_id AND s.state = 'active'
WHERE w.next_attempt_at < now() AND NOT EXISTS (
    SELECT FROM sink_health h WHERE h.subscription_id = w.subscription_id AND h.expires_at > now())
"""

SERVER = """
SELECT
    (SELECT count(DISTINCT h.subscription_id) FROM sink_health h
     JOIN subscriptions s ON s.id = h.subscription_id AND s.version = h.subscription_version
     WHERE h.state <> 'closed' AND h.expires_at > now()) AS circuits,
    pg_database_size(current_database()) AS bytes,
    load.connections, current_setting('max_connections')::integer AS connection_limit, load.replica_lag,
    (SELECT count(*) FROM api_keys
     WHERE revoked_at IS NULL AND expires_at > now() AND expires_at < now() + interval '7 days'
       AND last_used_at > now() - interval '7 days') AS keys
FROM server_load() AS load
"""

DAYS = r"SELECT right(relname, 8) AS day FROM pg_class WHERE relkind = 'r' AND relname ~ '^events_p\d{8}$'"


async def unread(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Of each shard: whether somebody `owned` it, how many events are `unread`, since how many `seconds` (or None)."""
    return list(await connection.fetch(UNREAD, UNREAD_LIMIT, timeout=TIMEOUT_SECONDS))


async def overdue_seconds(connection: asyncpg.Connection) -> float:
    """For how long the most overdue delivery has been due; 0 when none is."""
    seconds: float = await connection.fetchval(OVERDUE, timeout=TIMEOUT_SECONDS)
    return seconds


async def retrying(connection: asyncpg.Connection) -> int:
    """How many deliveries are between attempts, up to RETRYING_LIMIT."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM (SELECT FROM deliveries WHERE status = 'retrying' LIMIT $1) r",
        RETRYING_LIMIT,
        timeout=TIMEOUT_SECONDS,
    )
    return count


async def dead_since(connection: asyncpg.Connection, low: UUID) -> int:
    """How many deliveries of events received since `low` are dead."""
    count: int = await connection.fetchval(
        "SELECT count(*) FROM deliveries WHERE status = 'dead' AND id >= $1", low, timeout=TIMEOUT_SECONDS
    )
    return count


async def server(connection: asyncpg.Connection) -> asyncpg.Record:
    """One row: circuits, bytes, connections, connection_limit, replica_lag (s, or None), keys."""
    return await connection.fetchrow(SERVER, timeout=TIMEOUT_SECONDS)


async def ticks(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """When the tick came to each `function`: `seconds` ago."""
    return list(
        await connection.fetch(
            "SELECT function, extract(epoch FROM now() - came_at)::float8 AS seconds FROM ticks",
            timeout=TIMEOUT_SECONDS,
        )
    )


async def partition_days(connection: asyncpg.Connection) -> set[str]:
    """The days (YYYYMMDD, UTC) that have a partition of events."""
    return {row["day"] for row in await connection.fetch(DAYS, timeout=TIMEOUT_SECONDS)}


async def waiting(connection: asyncpg.Connection) -> dict[str, int]:
    """How many days of projects are over and still there, by what they wait for."""
    rows = await connection.fetch(
        "SELECT reason, sum(days)::integer AS days FROM retention_waits GROUP BY reason",
        timeout=TIMEOUT_SECONDS,
    )
    return {row["reason"]: row["days"] for row in rows}


async def certificates(connection: asyncpg.Connection) -> list[str]:
    """The client certificates of active subscriptions, in PEM."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT tls ->> 'certificate' AS pem FROM subscriptions
        WHERE state <> 'disabled' AND tls ->> 'certificate' IS NOT NULL
        """,
        timeout=TIMEOUT_SECONDS,
    )
    return [row["pem"] for row in rows]
