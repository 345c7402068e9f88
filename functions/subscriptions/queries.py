"""The SQL of subscriptions. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.core.breaker import PROBE

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_COLUMNS = """
    id, name, filters, sink, delivery, signing_secrets_sealed, auth, tls, transform, credentials_sealed,
    state, state_reason, version, created_at, updated_at
"""


_ATTRIBUTES = """
    uid, specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions
"""


async def bump_project(conn: "Connection", project_id: UUID) -> bool:
    """Say that the project's subscriptions change. Its row stays locked, so that changes come one by one."""
    row = await conn.fetchval(
        "UPDATE projects SET version = version + 1 WHERE id = $1 RETURNING version", project_id
    )
    return row is not None


async def subscriptions(
    conn: "Connection", project_id: UUID, before: UUID | None, limit: int
) -> "list[Record]":
    """A page, newest first, without those that were made for a replay alone."""
    return list(
        await conn.fetch(
            f"""
            SELECT {_COLUMNS} FROM subscriptions
            WHERE project_id = $1 AND replay_id IS NULL AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
            """,
            project_id,
            before,
            limit,
        )
    )


async def subscription(conn: "Connection", project_id: UUID, subscription_id: UUID) -> "Record | None":
    """One of the project's."""
    return await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM subscriptions WHERE project_id = $1 AND id = $2 AND replay_id IS NULL",
        project_id,
        subscription_id,
    )


async def names_like(conn: "Connection", project_id: UUID, start: str) -> set[str]:
    """The names in the project that begin so."""
    rows = await conn.fetch(
        "SELECT name FROM subscriptions WHERE project_id = $1 AND starts_with(name, $2)", project_id, start
    )
    return {row["name"] for row in rows}


async def insert(
    conn: "Connection",
    *,
    subscription_id: UUID,
    project_id: UUID,
    name: str,
    filters: list[Any],
    sink: str,
    delivery: dict[str, Any],
    signing_secrets_sealed: bytes | None,
    auth: dict[str, Any] | None,
    tls: dict[str, Any] | None,
    transform: dict[str, Any] | None,
    credentials_sealed: bytes | None,
    state: str,
) -> "Record":
    """The new row. Raises asyncpg.UniqueViolationError when the name is taken."""
    return await conn.fetchrow(
        f"""
        INSERT INTO subscriptions
            (id, project_id, name, filters, sink, delivery, signing_secrets_sealed, state, auth, tls, transform,
             credentials_sealed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING {_COLUMNS}
        """,
        subscription_id,
        project_id,
        name,
        filters,
        sink,
        delivery,
        signing_secrets_sealed,
        state,
        auth,
        tls,
        transform,
        credentials_sealed,
    )


async def replace(
    conn: "Connection",
    *,
    subscription_id: UUID,
    project_id: UUID,
    name: str,
    filters: list[Any],
    sink: str,
    delivery: dict[str, Any],
    signing_secrets_sealed: bytes | None,
    auth: dict[str, Any] | None,
    tls: dict[str, Any] | None,
    transform: dict[str, Any] | None,
    credentials_sealed: bytes | None,
    state: str,
    state_reason: str | None,
) -> "Record":
    """The changed row, one version on. Raises asyncpg.UniqueViolationError when the name is taken."""
    return await conn.fetchrow(
        f"""
        UPDATE subscriptions
        SET name = $3, filters = $4, sink = $5, delivery = $6, signing_secrets_sealed = $7, state = $8,
            state_reason = $9, auth = $10, tls = $11, transform = $12, credentials_sealed = $13, version = version + 1, updated_at = now()
        WHERE project_id = $1 AND id = $2 RETURNING {_COLUMNS}
        """,
        project_id,
        subscription_id,
        name,
        filters,
        sink,
        delivery,
        signing_secrets_sealed,
        state,
        state_reason,
        auth,
        tls,
        transform,
        credentials_sealed,
    )


async def keep_version(conn: "Connection", project_id: UUID, subscription_id: UUID) -> None:
    """Note what the subscription says as it stands."""
    await conn.execute(
        """
        INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)
        SELECT id, version, project_id, name, filters, sink FROM subscriptions
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        subscription_id,
    )


async def delete(conn: "Connection", project_id: UUID, subscription_id: UUID) -> None:
    """Delete the row; its versions stay for explanations."""
    await conn.execute(
        "DELETE FROM subscriptions WHERE project_id = $1 AND id = $2", project_id, subscription_id
    )
    await conn.execute(
        "UPDATE subscription_versions SET deleted_at = now() WHERE project_id = $1 AND subscription_id = $2",
        project_id,
        subscription_id,
    )


async def hold_waiting(conn: "Connection", project_id: UUID, subscription_id: UUID) -> None:
    """Let what waits for this subscription wait until it is resumed."""
    await conn.execute(
        """
        UPDATE deliveries SET held = true, next_attempt_at = NULL
        WHERE project_id = $1 AND subscription_id = $2 AND status IN ('pending', 'retrying')
            AND NOT held
        """,
        project_id,
        subscription_id,
    )


async def release_held(conn: "Connection", project_id: UUID, subscription_id: UUID) -> set[int]:
    """Let go of what was held, and make it due: of what has an order key, the first one of each key.

    Returns the shards that have work by that.
    """
    rows = await conn.fetch(
        """
        WITH released AS (
            UPDATE deliveries d SET held = false, next_attempt_at = CASE WHEN order_key IS NULL OR NOT EXISTS (
                SELECT FROM deliveries e
                WHERE e.subscription_id = $2 AND e.order_key = d.order_key AND e.status IN ('pending', 'retrying')
                    AND (e.position, e.event_uid) < (d.position, d.event_uid)
            ) THEN now() END
            WHERE project_id = $1 AND subscription_id = $2 AND held
            RETURNING shard
        )
        SELECT DISTINCT shard FROM released
        """,
        project_id,
        subscription_id,
    )
    return {row["shard"] for row in rows}


async def cancel_waiting(conn: "Connection", project_id: UUID, subscription_id: UUID) -> None:
    """End what waits for this subscription."""
    await conn.execute(
        """
        UPDATE deliveries SET status = 'cancelled', ended_at = now(), next_attempt_at = NULL, held = false
        WHERE project_id = $1 AND subscription_id = $2 AND status IN ('pending', 'retrying')
        """,
        project_id,
        subscription_id,
    )


async def recent_events(conn: "Connection", project_id: UUID, limit: int) -> "list[Record]":
    """The context attributes of the newest events, newest first."""
    return list(
        await conn.fetch(
            f"SELECT {_ATTRIBUTES} FROM events WHERE project_id = $1 ORDER BY uid DESC LIMIT $2",
            project_id,
            limit,
        )
    )


async def event(conn: "Connection", project_id: UUID, uid: UUID) -> "Record | None":
    """One stored event, with its data."""
    return await conn.fetchrow(
        """
        SELECT uid, specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions,
               data, data_kind
        FROM events WHERE project_id = $1 AND uid = $2
        """,
        project_id,
        uid,
    )


async def recent_events_with_data(
    conn: "Connection", project_id: UUID, limit: int, byte_limit: int
) -> "list[Record]":
    """The same with their data, ending with the event whose data reaches `byte_limit`."""
    return list(
        await conn.fetch(
            f"""
            SELECT * FROM (
                SELECT {_ATTRIBUTES}, data, data_kind,
                    sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid DESC ROWS UNBOUNDED PRECEDING)
                        - coalesce(octet_length(data), 0) AS bytes_before
                FROM (SELECT * FROM events WHERE project_id = $1 ORDER BY uid DESC LIMIT $2) newest
            ) found
            WHERE bytes_before < $3 ORDER BY uid DESC
            """,
            project_id,
            limit,
            byte_limit,
        )
    )


async def sink_health(
    conn: "Connection", project_id: UUID, subscription_ids: list[UUID]
) -> "dict[UUID, Record]":
    """What dispatch knows of sinks that are unwell: the worst that any of its processes says."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (h.subscription_id) h.subscription_id, h.state, h.since, h.until, h.reason,
            min(h.in_flight_limit) OVER (PARTITION BY h.subscription_id) AS in_flight_limit
        FROM sink_health h JOIN subscriptions s ON s.id = h.subscription_id AND s.version = h.subscription_version
        WHERE s.project_id = $1 AND h.subscription_id = ANY($2) AND h.expires_at > now() AND h.owner <> $3
        ORDER BY h.subscription_id, array_position(ARRAY['open', 'halfOpen', 'closed'], h.state), h.until DESC NULLS LAST
        """,
        project_id,
        subscription_ids,
        PROBE,
    )
    return {row["subscription_id"]: row for row in rows}


async def found_well(conn: "Connection", project_id: UUID, subscription_id: UUID, version: int) -> bool:
    """Take back that the sink is to be left alone, and tell dispatch so; whether anybody had said it.

    What tells dispatch counts for as long as it may remember otherwise.
    """
    said = await conn.fetchval(
        """
        WITH said AS (
            DELETE FROM sink_health h USING subscriptions s
            WHERE s.project_id = $1 AND s.id = $2 AND s.version = $3 AND h.subscription_id = s.id
                AND h.subscription_version = $3 AND h.state <> 'closed' AND h.owner <> $4
                AND h.expires_at > now()
            RETURNING h.until
        )
        INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, expires_at)
        SELECT $2, $4, $3, 'closed', now(), greatest(max(until), now()) + interval '1 minute'
        FROM said HAVING count(*) > 0
        ON CONFLICT (subscription_id, owner) DO UPDATE SET
            subscription_version = excluded.subscription_version, state = excluded.state,
            since = excluded.since, expires_at = excluded.expires_at
        RETURNING true
        """,
        project_id,
        subscription_id,
        version,
        PROBE,
    )
    return said is not None


async def shards_waiting(conn: "Connection", project_id: UUID, subscription_id: UUID) -> set[int]:
    """The shards with deliveries of this subscription that are due."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT shard FROM deliveries
        WHERE project_id = $1 AND subscription_id = $2 AND status IN ('pending', 'retrying')
            AND NOT held AND next_attempt_at <= now()
        """,
        project_id,
        subscription_id,
    )
    return {row["shard"] for row in rows}
