"""What is read of the stream, and the subscriptions that it is for."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from events.dispatch.queries.statement import EVENT, TIMEOUT_SECONDS, Connection

# Rows past the horizon are committed, but an older transaction has not ended: they are shown as not settled.
READ = f"""
SELECT * FROM (
    SELECT c.shard, e.xid, e.project_id, {EVENT},
        e.xid < stream_horizon() AS settled, p.version,
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
