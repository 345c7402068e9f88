"""The statements of dispatch.

Every write names the shards it is made for with the epoch of their lease, and takes the row locks of
those shards first. Who takes a shard over changes its epoch under the same lock: so a write of an owner that
was replaced finds nothing to write for, however long it was asleep. The lease's time decides when others
may take over; it need not be checked again where the epoch is still ours.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

Connection: TypeAlias = "asyncpg.Connection | asyncpg.Pool"
Row = Sequence[Any]

TIMEOUT_SECONDS = 10
WAITING_LIMIT = 10_000

EVENT = """e.uid, e.data_kind, e.id, e.source, e.type, e.specversion, e.subject, e.time,
    e.datacontenttype, e.dataschema, e.extensions, e.data"""

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

HOLD = """
    UPDATE shards s
    SET lease_until = now() + $2::float8 * interval '1 second', cursor_xid = h.xid, cursor_uid = h.uid
    FROM unnest($3::smallint[], $4::bigint[], $5::xid8[], $6::uuid[]) AS h (shard, epoch, xid, uid)
    WHERE s.shard = h.shard AND s.owner = $1 AND s.epoch = h.epoch
    RETURNING s.shard
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

# What was to happen by a clock that was set back since is due when it would have been.
BRING_FORWARD = """
UPDATE deliveries SET next_attempt_at = next_attempt_at - $2::float8 * interval '1 second'
WHERE shard = ANY($1::smallint[]) AND next_attempt_at > now()
"""

# Rows past the horizon are committed, but an older transaction has not ended: they are shown as not settled.
READ = f"""
SELECT * FROM (
    SELECT c.shard, e.xid, e.project_id, {EVENT},
        e.xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled, p.version,
        sum(coalesce(octet_length(e.data), 0)) OVER (ORDER BY e.xid, e.uid ROWS UNBOUNDED PRECEDING)
            - coalesce(octet_length(e.data), 0) AS bytes_before
    FROM unnest($1::smallint[], $2::xid8[], $3::uuid[]) AS c (shard, xid, uid)
    CROSS JOIN LATERAL (
        SELECT * FROM events e
        WHERE e.shard = c.shard AND (e.xid, e.uid) > (c.xid, c.uid) AND e.uid >= $4
        ORDER BY e.xid, e.uid LIMIT $5
    ) e
    LEFT JOIN projects p ON p.id = e.project_id
) found
WHERE bytes_before < $7
ORDER BY xid, uid LIMIT $6
"""  # noqa: S608 put together from constants

SUBSCRIPTIONS = """
SELECT p.version AS project_version, s.id, s.version, s.name, s.filters, s.sink, s.delivery,
       s.signing_secrets_sealed, s.state, s.auth, s.tls, s.transform, s.credentials_sealed
FROM projects p LEFT JOIN subscriptions s ON s.project_id = p.id
WHERE p.id = $1 AND s.id = ANY($2::uuid[])
ORDER BY s.id
"""

SUBSCRIPTION_STATES = """
SELECT p.version AS project_version, s.id, s.version, s.state
FROM projects p LEFT JOIN subscriptions s ON s.project_id = p.id
WHERE p.id = $1
ORDER BY s.id
"""

DELIVERIES = """unnest(
    $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::integer[], $12::smallint[], $13::text[],
    $14::integer[], $15::boolean[], $16::float8[], $17::timestamptz[], $18::text[], $19::bigint[],
    $20::smallint[], $21::text[], $22::timestamptz[], $23::integer[], $24::smallint[], $25::text[],
    $26::text[], $27::text[])
    AS n (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
    attempt_count, held, due_in, ended_at, order_key, position,
    last_status_code, last_error, first_started_at, first_duration_us, first_status_code, first_error,
    first_detail, dead_letter)"""

RECORD = f"""
WITH held AS ({HOLD}), made AS (
    INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
        attempt_count, held, next_attempt_at, ended_at, order_key, position, last_status_code, last_error,
        first_started_at, first_duration_us, first_status_code, first_error, first_detail, dead_letter)
    SELECT n.id, n.project_id, n.event_uid, n.subscription_id, n.subscription_version, n.shard, n.status,
        n.attempt_count, n.held, now() + n.due_in * interval '1 second', n.ended_at, n.order_key, n.position,
        n.last_status_code, n.last_error, n.first_started_at, n.first_duration_us, n.first_status_code,
        n.first_error, n.first_detail::jsonb, n.dead_letter::jsonb
    FROM {DELIVERIES} JOIN held ON held.shard = n.shard
    ON CONFLICT DO NOTHING
)
SELECT shard FROM held
"""  # noqa: S608 put together from constants

ADVANCE = f"WITH held AS ({HOLD}) SELECT shard FROM held"  # noqa: S608 put together from constants

CHANGE = """
UPDATE deliveries d
SET status = n.status, attempt_count = n.attempt_count, held = n.held,
    next_attempt_at = now() + n.due_in * interval '1 second',
    ended_at = coalesce(n.ended_at, d.ended_at),
    last_status_code = CASE WHEN d.status = 'dead' THEN d.last_status_code ELSE n.last_status_code END,
    last_error = CASE WHEN d.status = 'dead' THEN d.last_error ELSE n.last_error END,
    first_started_at = coalesce(n.first_started_at, d.first_started_at),
    first_duration_us = coalesce(n.first_duration_us, d.first_duration_us),
    first_status_code = coalesce(n.first_status_code, d.first_status_code),
    first_error = coalesce(n.first_error, d.first_error),
    first_detail = coalesce(n.first_detail::jsonb, d.first_detail),
    dead_letter = coalesce(n.dead_letter::jsonb, d.dead_letter)
FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::boolean[], $6::float8[], $7::timestamptz[],
    $8::smallint[], $9::text[], $10::timestamptz[], $11::integer[], $12::smallint[], $13::text[],
    $14::text[], $15::text[])
    AS n (id, status, attempt_count, held, due_in, ended_at, last_status_code, last_error,
    first_started_at, first_duration_us, first_status_code, first_error, first_detail, dead_letter)
WHERE d.id = n.id AND d.id >= $16 AND d.id <= $17 AND d.shard = ANY($1::smallint[])
  AND d.status <> 'cancelled'
"""

ATTEMPTS = """
INSERT INTO attempts (delivery_id, number, project_id, started_at, duration_us, status_code, error, detail)
SELECT n.delivery_id, n.number, n.project_id, n.started_at, n.duration_us, n.status_code, n.error,
    n.detail::jsonb
FROM unnest($1::uuid[], $2::integer[], $3::uuid[], $4::timestamptz[], $5::integer[], $6::smallint[],
    $7::text[], $8::text[])
    AS n (delivery_id, number, project_id, started_at, duration_us, status_code, error, detail)
ON CONFLICT DO NOTHING
"""

# The first of each order that still has to be delivered becomes due, once all before it have ended.
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
    WHERE d.id = heads.id AND heads.status = 'pending' AND NOT heads.held AND heads.next_attempt_at IS NULL
)
SELECT id, shard, subscription_id, order_key,
    status = 'pending' AND NOT held AND next_attempt_at IS NULL AS promoted
FROM heads
"""

# What comes after the first of an order, to be at hand when that has ended. Long ones are not worth the memory.
FOLLOWERS = f"""
SELECT d.id AS delivery_id, d.project_id, d.subscription_id, d.shard, d.order_key, {EVENT}
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

# A loose index scan: one probe for each subscription that has something waiting.
WAITING = f"""
WITH RECURSIVE waiting AS (
    (SELECT d.subscription_id, d.next_attempt_at FROM deliveries d
     WHERE d.next_attempt_at IS NOT NULL AND d.shard = ANY($1::smallint[]) AND d.id <> ALL($2::uuid[])
     ORDER BY d.subscription_id, d.next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.subscription_id, n.next_attempt_at FROM waiting w CROSS JOIN LATERAL (
        SELECT d.subscription_id, d.next_attempt_at FROM deliveries d
        WHERE d.next_attempt_at IS NOT NULL AND d.subscription_id > w.subscription_id
          AND d.shard = ANY($1::smallint[]) AND d.id <> ALL($2::uuid[])
        ORDER BY d.subscription_id, d.next_attempt_at LIMIT 1
    ) n
)
SELECT subscription_id, extract(epoch FROM next_attempt_at - now())::float8 AS due_in,
    extract(epoch FROM now())::float8 AS now
FROM waiting
LIMIT {WAITING_LIMIT}
"""  # noqa: S608 put together from constants

# The events are looked up one by one: with a long backlog the planner would rather read all of them.
DUE = f"""
SELECT d.id AS delivery_id, d.project_id, d.subscription_id, d.shard, d.status, d.attempt_count, d.order_key,
    d.dead_letter, d.last_status_code, d.last_error, p.version, {EVENT}
FROM unnest($1::uuid[], $2::integer[]) AS s (subscription_id, room)
CROSS JOIN LATERAL (
    SELECT * FROM deliveries d
    WHERE d.subscription_id = s.subscription_id AND d.next_attempt_at <= now()
      AND d.shard = ANY($3::smallint[]) AND d.id <> ALL($4::uuid[])
      AND (d.order_key IS NULL OR d.status = 'dead' OR NOT EXISTS (
          SELECT 1 FROM deliveries b
          WHERE b.subscription_id = d.subscription_id AND b.order_key = d.order_key
            AND b.status IN ('pending', 'retrying')
            AND (b.position, b.event_uid) < (d.position, d.event_uid)))
    ORDER BY d.next_attempt_at LIMIT s.room
) d
LEFT JOIN projects p ON p.id = d.project_id
LEFT JOIN LATERAL (SELECT * FROM events WHERE uid = d.event_uid OFFSET 0) e ON true
"""  # noqa: S608 put together from constants


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


async def read(
    connection: Connection,
    positions: Sequence[tuple[int, int, UUID]],
    *,
    since: UUID,
    each: int,
    limit: int,
    byte_limit: int,
) -> list[asyncpg.Record]:
    """Events after the position (shard, xid, uid) of each shard, in the order of their commits.

    At most `each` of one shard and `limit` in all, ending with the one whose data reaches `byte_limit`.
    Partitions before `since` are not looked into.
    """
    shards, xids, uids = zip(*positions, strict=True)
    rows: list[asyncpg.Record] = await connection.fetch(
        READ, shards, xids, uids, since, each, limit, byte_limit, timeout=TIMEOUT_SECONDS
    )
    return rows


async def subscription_states(connection: Connection, project_id: UUID) -> list[asyncpg.Record]:
    """Version and state of all of a project's subscriptions, with its own version.

    One row without `id` when it has no subscription, none when there is no such project.
    """
    rows: list[asyncpg.Record] = await connection.fetch(
        SUBSCRIPTION_STATES, project_id, timeout=TIMEOUT_SECONDS
    )
    return rows


async def subscriptions(
    connection: Connection, project_id: UUID, ids: Sequence[UUID]
) -> list[asyncpg.Record]:
    """Those of a project's subscriptions that are still there."""
    rows: list[asyncpg.Record] = await connection.fetch(
        SUBSCRIPTIONS, project_id, ids, timeout=TIMEOUT_SECONDS
    )
    return rows


async def record(
    connection: Connection,
    owner: str,
    seconds: float,
    shards: Sequence[Row],
    deliveries: Sequence[Row],
) -> set[int]:
    """Advance cursors, renew their leases and insert deliveries in one statement; the shards that are ours.

    `shards` are rows of (shard, epoch, xid, uid). Deliveries of a shard that is not ours are not written.
    """
    columns = zip(*shards, strict=True)
    if deliveries:
        parts = [*columns, *zip(*deliveries, strict=True)]
        rows = await connection.fetch(RECORD, owner, seconds, *parts, timeout=TIMEOUT_SECONDS)
    else:
        rows = await connection.fetch(ADVANCE, owner, seconds, *columns, timeout=TIMEOUT_SECONDS)
    return {row[0] for row in rows}


async def change(connection: Connection, shards: Collection[int], changes: Sequence[Row]) -> None:
    """Write what became of deliveries that are rows already, in shards whose lock is held."""
    ids = [row[0] for row in changes]
    await connection.execute(
        CHANGE, list(shards), *zip(*changes, strict=True), min(ids), max(ids), timeout=TIMEOUT_SECONDS
    )


async def add_attempts(connection: Connection, attempts: Sequence[Row]) -> None:
    """Write attempts after the first."""
    await connection.execute(ATTEMPTS, *zip(*attempts, strict=True), timeout=TIMEOUT_SECONDS)


async def promote(connection: Connection, orders: Collection[tuple[UUID, str]]) -> list[asyncpg.Record]:
    """Make the first waiting delivery of each (subscription, order key) due.

    Rows of those that have one: (id, shard, subscription_id, order_key, promoted); not `promoted` was due before
    or has to wait.
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


async def states(connection: Connection, subscription_ids: Collection[UUID]) -> dict[UUID, str]:
    """The states of subscriptions, which cannot change before the transaction ends."""
    rows = await connection.fetch(
        "SELECT id, state FROM subscriptions WHERE id = ANY($1) ORDER BY id FOR SHARE",
        list(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )
    return {row[0]: row[1] for row in rows}


async def disable(connection: Connection, subscription_ids: Collection[UUID], reason: str) -> None:
    """Disable subscriptions, and tell caches by the version of their projects.

    The project's row is locked first, as by every other change of its subscriptions.
    """
    ids = sorted(subscription_ids)
    await connection.execute(
        """
        UPDATE projects SET version = version + 1
        WHERE id IN (SELECT project_id FROM subscriptions WHERE id = ANY($1) AND state <> 'disabled')
        """,
        ids,
        timeout=TIMEOUT_SECONDS,
    )
    await connection.execute(
        """
        UPDATE subscriptions SET state = 'disabled', state_reason = $2, updated_at = now()
        WHERE id = ANY($1) AND state <> 'disabled'
        """,
        ids,
        reason,
        timeout=TIMEOUT_SECONDS,
    )


async def cancel_waiting(connection: Connection, subscription_ids: Collection[UUID]) -> None:
    """End what waits for subscriptions that are disabled."""
    await connection.execute(
        """
        UPDATE deliveries SET status = 'cancelled', ended_at = now(), next_attempt_at = NULL, held = false
        WHERE subscription_id = ANY($1) AND status IN ('pending', 'retrying')
        """,
        sorted(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )


async def waiting(
    connection: Connection, shards: Collection[int], under_way: Collection[UUID]
) -> tuple[dict[UUID, float], float | None]:
    """Subscriptions with deliveries that wait, and in how many seconds the first of each is due.

    With the Unix time by which that is reckoned; None where nothing waits.
    """
    rows = await connection.fetch(WAITING, list(shards), list(under_way), timeout=TIMEOUT_SECONDS)
    return {row[0]: row[1] for row in rows}, rows[0][2] if rows else None


async def due(
    connection: Connection, rooms: dict[UUID, int], shards: Collection[int], under_way: Collection[UUID]
) -> list[asyncpg.Record]:
    """Deliveries whose time has come, for each subscription in `rooms` at most so many, the oldest first."""
    rows: list[asyncpg.Record] = await connection.fetch(
        DUE,
        list(rooms),
        list(rooms.values()),
        list(shards),
        list(under_way),
        timeout=TIMEOUT_SECONDS,
    )
    return rows


async def ensure_partitions(connection: Connection, first: date, last: date) -> None:
    """Make the partitions of these days (UTC) that are not there."""
    await connection.execute("SELECT ensure_partitions($1, $2)", first, last, timeout=30)


async def holds(connection: Connection, owner: str) -> list[asyncpg.Record]:
    """Subscriptions whose sinks are to be left alone, as others found: (subscription_id, seconds)."""
    rows: list[asyncpg.Record] = await connection.fetch(
        """
        SELECT h.subscription_id, max(extract(epoch FROM h.until - now()))::float8 AS seconds
        FROM sink_health h JOIN subscriptions s ON s.id = h.subscription_id AND s.version = h.subscription_version
        WHERE h.owner <> $1 AND h.state = 'open' AND h.until > now()
        GROUP BY h.subscription_id
        """,
        owner,
        timeout=TIMEOUT_SECONDS,
    )
    return rows


async def tell_health(connection: Connection, owner: str, rows: Sequence[Row]) -> None:
    """Write what is known of sinks: (subscription, version, state, since, until, reason, limit, seconds it counts)."""
    await connection.execute(
        """
        INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, until, reason,
            in_flight_limit, expires_at)
        SELECT n.id, $1, n.version, n.state, n.since, n.until, n.reason, n.in_flight_limit,
            greatest(n.until, now() + n.seconds * interval '1 second')
        FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[],
            $8::integer[], $9::float8[])
            AS n (id, version, state, since, until, reason, in_flight_limit, seconds)
        JOIN subscriptions s ON s.id = n.id
        ORDER BY n.id
        ON CONFLICT (subscription_id, owner) DO UPDATE SET
            subscription_version = excluded.subscription_version, state = excluded.state,
            since = excluded.since, until = excluded.until, reason = excluded.reason,
            in_flight_limit = excluded.in_flight_limit, expires_at = excluded.expires_at
        """,
        owner,
        *zip(*rows, strict=True),
        timeout=TIMEOUT_SECONDS,
    )


async def drop_health(connection: Connection, owner: str, subscription_ids: Collection[UUID]) -> None:
    """Forget what `owner` said of these, and what nobody says any more."""
    await connection.execute(
        """
        DELETE FROM sink_health
        WHERE owner = $1 AND subscription_id = ANY($2) OR expires_at < now() - interval '1 minute'
        """,
        owner,
        list(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )
