"""What is written of deliveries, always with the leases that it is written for."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from events.dispatch.queries.statement import TIMEOUT_SECONDS, Connection, Row

HOLD = """
    UPDATE shards s
    SET lease_until = now() + $2::float8 * interval '1 second', cursor_xid = h.xid, cursor_uid = h.uid
    FROM unnest($3::smallint[], $4::bigint[], $5::xid8[], $6::uuid[]) AS h (shard, epoch, xid, uid)
    WHERE s.shard = h.shard AND s.owner = $1 AND s.epoch = h.epoch
    RETURNING s.shard
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

# `due_in` is reckoned right before the statement is sent. The transaction began earlier, and may have waited for locks
# since: by its `now()` a retry would come too early.
RECORD = f"""
WITH held AS ({HOLD}), made AS (
    INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
        attempt_count, held, next_attempt_at, ended_at, order_key, position, last_status_code, last_error,
        first_started_at, first_duration_us, first_status_code, first_error, first_detail, dead_letter)
    SELECT n.id, n.project_id, n.event_uid, n.subscription_id, n.subscription_version, n.shard, n.status,
        n.attempt_count, n.held, statement_timestamp() + n.due_in * interval '1 second', n.ended_at, n.order_key, n.position,
        n.last_status_code, n.last_error, n.first_started_at, n.first_duration_us, n.first_status_code,
        n.first_error, n.first_detail::jsonb, n.dead_letter::jsonb
    FROM {DELIVERIES} JOIN held ON held.shard = n.shard
    ON CONFLICT DO NOTHING
)
SELECT shard FROM held
"""  # noqa: S608 put together from constants

ADVANCE = f"WITH held AS ({HOLD}) SELECT shard FROM held"  # noqa: S608 put together from constants

# Two things may have been decided elsewhere since: that a delivery is cancelled, and that a dead one is to be tried again,
# or no more. What was under way then does not undo it; that its sink took it is true all the same.
CHANGE = """
UPDATE deliveries d
SET status = CASE WHEN d.status = 'dead' AND n.status <> 'delivered' THEN 'dead' ELSE n.status END,
    attempt_count = greatest(n.attempt_count, d.attempt_count), held = n.held,
    next_attempt_at = CASE WHEN d.status <> 'dead' OR n.status = 'dead'
        THEN statement_timestamp() + n.due_in * interval '1 second' END,
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
  AND d.status <> 'cancelled' AND (n.status <> 'dead' OR n.ended_at IS NOT NULL OR d.status = 'dead')
"""

ATTEMPTS = """
INSERT INTO attempts (delivery_id, number, project_id, started_at, duration_us, status_code, error, detail)
SELECT n.delivery_id, n.number, n.project_id, n.started_at, n.duration_us, n.status_code, n.error,
    n.detail::jsonb
FROM unnest($1::uuid[], $2::integer[], $3::uuid[], $4::timestamptz[], $5::integer[], $6::smallint[],
    $7::text[], $8::text[])
    AS n (delivery_id, number, project_id, started_at, duration_us, status_code, error, detail)
WHERE (SELECT d.id FROM deliveries d WHERE d.id = n.delivery_id) IS NOT NULL
ON CONFLICT DO NOTHING
"""


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
    """Write attempts after the first, once `change` has been called: of a delivery that was erased meanwhile none."""
    await connection.execute(ATTEMPTS, *zip(*attempts, strict=True), timeout=TIMEOUT_SECONDS)


async def states(connection: Connection, subscription_ids: Collection[UUID]) -> dict[UUID, str]:
    """The states of subscriptions, which cannot change before the transaction ends."""
    rows = await connection.fetch(
        "SELECT id, state FROM subscriptions WHERE id = ANY($1) ORDER BY id FOR SHARE",
        list(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )
    return {row[0]: row[1] for row in rows}


async def disable(connection: Connection, versions: Mapping[UUID, int], reason: str) -> Sequence[Row]:
    """Disable subscriptions that are still at their version, and tell caches by the version of their projects.

    The project's row is locked first, as by every other change of its subscriptions. Project, id, name and the state
    before of each that was not disabled already.
    """
    ids = sorted(versions)
    columns = (ids, [versions[identity] for identity in ids])
    await connection.execute(
        """
        UPDATE projects SET version = version + 1 WHERE id IN (
            SELECT s.project_id FROM subscriptions s
            JOIN unnest($1::uuid[], $2::integer[]) AS n (id, version) USING (id, version)
            WHERE s.state <> 'disabled')
        """,
        *columns,
        timeout=TIMEOUT_SECONDS,
    )
    rows: Sequence[Row] = await connection.fetch(
        """
        UPDATE subscriptions s SET state = 'disabled', state_reason = $3, updated_at = now()
        FROM subscriptions b JOIN unnest($1::uuid[], $2::integer[]) AS n (id, version) USING (id)
        WHERE s.id = n.id AND s.version = n.version AND s.state <> 'disabled'
        RETURNING s.project_id, s.id, s.name, b.state
        """,
        *columns,
        reason,
        timeout=TIMEOUT_SECONDS,
    )
    return rows


async def cancel_waiting(connection: Connection, subscription_ids: Collection[UUID]) -> None:
    """End what waits for those of the subscriptions that are disabled."""
    await connection.execute(
        """
        UPDATE deliveries SET status = 'cancelled', ended_at = now(), next_attempt_at = NULL, held = false
        WHERE subscription_id IN (SELECT id FROM subscriptions WHERE id = ANY($1) AND state = 'disabled')
          AND status IN ('pending', 'retrying')
        """,
        sorted(subscription_ids),
        timeout=TIMEOUT_SECONDS,
    )


async def ensure_partitions(connection: Connection, first: date, last: date) -> None:
    """Make the partitions of these days (UTC) that are not there."""
    await connection.execute("SELECT ensure_partitions($1, $2)", first, last, timeout=30)
