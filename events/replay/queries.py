"""The statements of replays at work. Every write is of whoever has the lease."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

Connection: TypeAlias = "asyncpg.Connection | asyncpg.Pool"

TIMEOUT_SECONDS = 20

_COLUMNS = """
    id, project_id, kind, selection, low, high, created_at, target, one_off, rate_per_second, stop_failed, stop_of, epoch
"""

INSERT = """
INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
    next_attempt_at, order_key, position, replay_id)
SELECT n.id, $1, n.event_uid, $2, $3, n.shard, 'pending', now(), n.order_key, n.position, $4
FROM unnest($5::uuid[], $6::uuid[], $7::smallint[], $8::text[], $9::bigint[])
    AS n (id, event_uid, shard, order_key, position)
ON CONFLICT DO NOTHING
RETURNING shard
"""


async def unattended(
    on: "Connection", soon_seconds: float, replay_id: UUID | None = None
) -> dict[UUID, float]:
    """Replays that run and nobody works on, and those that have ended and left something behind.

    With how many seconds there are to wait: those that wait for their rate, if they do so no longer than `soon_seconds`.
    Of all, or of one.
    """
    rows = await on.fetch(
        """
        SELECT id, extract(epoch FROM greatest(lease_until, now()) - now())::float8 AS wait FROM replays
        WHERE state = 'running' AND ($2::uuid IS NULL OR id = $2) AND (lease_until IS NULL OR lease_until < now()
            OR owner IS NULL AND lease_until < now() + $1::float8 * interval '1 second')
        UNION ALL
        SELECT r.id, 0 FROM subscriptions s JOIN replays r ON r.id = s.replay_id
        WHERE s.replay_id IS NOT NULL AND ($2::uuid IS NULL OR r.id = $2) AND r.state IN ('done', 'cancelled')
        """,
        soon_seconds,
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )
    return {row["id"]: row["wait"] for row in rows}


async def claim(on: "Connection", replay_id: UUID, owner: str, seconds: float) -> "asyncpg.Record | None":
    """Take one that runs and nobody works on."""
    return await on.fetchrow(
        f"""
        UPDATE replays SET owner = $2, epoch = epoch + 1, lease_until = now() + $3::float8 * interval '1 second'
        WHERE id = $1 AND state = 'running' AND (lease_until IS NULL OR lease_until < now())
        RETURNING {_COLUMNS}
        """,
        replay_id,
        owner,
        seconds,
        timeout=TIMEOUT_SECONDS,
    )


async def keep(conn: "Connection", replay_id: UUID, epoch: int, seconds: float) -> "asyncpg.Record | None":
    """The replay, whose lease is renewed and which nobody changes until the transaction ends; None if it is not ours.

    A lease that is longer already stays so.
    """
    return await conn.fetchrow(
        f"""
        UPDATE replays SET lease_until = greatest(lease_until, now() + $3::float8 * interval '1 second')
        WHERE id = $1 AND epoch = $2 AND state = 'running' RETURNING {_COLUMNS}
        """,
        replay_id,
        epoch,
        seconds,
        timeout=TIMEOUT_SECONDS,
    )


async def release(on: "Connection", replay_id: UUID, epoch: int, seconds: float) -> None:
    """Let others work on it, in so many seconds."""
    await on.execute(
        """
        UPDATE replays SET owner = NULL,
            lease_until = CASE WHEN $3::float8 > 0 THEN now() + $3::float8 * interval '1 second' END
        WHERE id = $1 AND epoch = $2
        """,
        replay_id,
        epoch,
        seconds,
        timeout=TIMEOUT_SECONDS,
    )


async def sinks(on: "Connection", replay_id: UUID) -> "list[asyncpg.Record]":
    """How far it is at each subscription: `id`, `total`, `cursor`, `opened`, `skipped`, `is_read`."""
    return list(
        await on.fetch(
            "SELECT subscription_id AS id, total, cursor, opened, skipped, is_read FROM replay_sinks"
            " WHERE replay_id = $1 ORDER BY subscription_id",
            replay_id,
            timeout=TIMEOUT_SECONDS,
        )
    )


async def advance(
    conn: "Connection",
    replay_id: UUID,
    subscription_id: UUID,
    cursor: UUID,
    *,
    opened: int,
    skipped: int,
    is_read: bool,
) -> None:
    """Everything up to `cursor` was opened or skipped; with so many more of each."""
    await conn.execute(
        """
        UPDATE replay_sinks SET cursor = $3, opened = opened + $4, skipped = skipped + $5, is_read = $6
        WHERE replay_id = $1 AND subscription_id = $2
        """,
        replay_id,
        subscription_id,
        cursor,
        opened,
        skipped,
        is_read,
        timeout=TIMEOUT_SECONDS,
    )


async def waiting(on: "Connection", project_id: UUID, replay_id: UUID) -> dict[UUID, int]:
    """How many of its deliveries wait, by subscription."""
    rows = await on.fetch(
        """
        SELECT subscription_id AS id, count(*) AS count FROM deliveries
        WHERE project_id = $1 AND replay_id = $2 AND status IN ('pending', 'retrying') AND status <> 'delivered'
        GROUP BY subscription_id
        """,
        project_id,
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )
    return {row["id"]: row["count"] for row in rows}


async def tried(on: "Connection", project_id: UUID, replay_id: UUID, limit: int) -> "list[asyncpg.Record]":
    """Of the newest it opened, those that were tried: (subscription_id, failed), the newest event first."""
    return list(
        await on.fetch(
            """
            SELECT subscription_id, status <> 'delivered' AS failed FROM (
                SELECT subscription_id, status, attempt_count > attempts_before AS tried FROM deliveries
                WHERE project_id = $1 AND replay_id = $2 ORDER BY id DESC LIMIT $3
            ) d WHERE tried AND status <> 'cancelled'
            """,
            project_id,
            replay_id,
            limit,
            timeout=TIMEOUT_SECONDS,
        )
    )


async def subscription(on: "Connection", project_id: UUID, subscription_id: UUID) -> "asyncpg.Record | None":
    """Who gets the new deliveries, if it is still there: `version`, `state`, `is_ordered`."""
    return await on.fetchrow(
        """
        SELECT version, state, delivery->>'ordering' = 'partitionkey' AS is_ordered FROM subscriptions
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        subscription_id,
        timeout=TIMEOUT_SECONDS,
    )


async def insert(
    conn: "Connection",
    project_id: UUID,
    subscription_id: UUID,
    version: int,
    *,
    replay_id: UUID,
    rows: Sequence[Sequence[Any]],
) -> list[int]:
    """New deliveries: (id, event_uid, shard, order_key, position). The shards of those that were not there."""
    found = await conn.fetch(
        INSERT,
        project_id,
        subscription_id,
        version,
        replay_id,
        *zip(*rows, strict=True),
        timeout=TIMEOUT_SECONDS,
    )
    return [row["shard"] for row in found]


async def turn(conn: "Connection", replay_id: UUID, state: str, reason: str | None) -> "asyncpg.Record":
    """Let it be in that state, for that reason; what there is to say of it."""
    return await conn.fetchrow(
        """
        UPDATE replays r SET state = $2, state_reason = $3, owner = NULL, lease_until = NULL, epoch = epoch + 1,
            ended_at = CASE WHEN $2 = 'done' THEN now() END
        WHERE id = $1
        RETURNING project_id, kind, reason, target, one_off,
            (SELECT sum(opened)::bigint FROM replay_sinks k WHERE k.replay_id = r.id) AS opened
        """,
        replay_id,
        state,
        reason,
        timeout=TIMEOUT_SECONDS,
    )


async def settle_totals(conn: "Connection", replay_id: UUID) -> None:
    """What was selected and not found again has changed meanwhile: it was skipped. What was not counted is known now."""
    await conn.execute(
        """
        UPDATE replay_sinks SET skipped = CASE WHEN total IS NULL THEN skipped ELSE greatest(total - opened, 0) END,
            total = greatest(total, opened)
        WHERE replay_id = $1
        """,
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )
    await conn.execute(
        """
        UPDATE replays SET total = (SELECT coalesce(sum(k.total), sum(k.opened))::bigint FROM replay_sinks k WHERE k.replay_id = $1)
        WHERE id = $1
        """,
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )


async def drop_one_off(conn: "Connection", replay_id: UUID) -> None:
    """Delete the subscription that was made for it alone; its version stays, so that its name can be shown."""
    gone = await conn.fetchrow(
        "DELETE FROM subscriptions WHERE replay_id = $1 RETURNING id, project_id",
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )
    if gone is None:
        return
    await conn.execute(
        "UPDATE subscription_versions SET deleted_at = now() WHERE subscription_id = $1", gone["id"]
    )
    await conn.execute("UPDATE projects SET version = version + 1 WHERE id = $1", gone["project_id"])


async def has_ended(conn: "Connection", replay_id: UUID) -> bool:
    """Whether nothing more is done for it."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM replays WHERE id = $1 AND state IN ('done', 'cancelled'))",
        replay_id,
        timeout=TIMEOUT_SECONDS,
    )
    return found


async def name(on: "Connection", project_id: UUID, subscription_id: UUID) -> str:
    """What a subscription is called, or was."""
    found: str | None = await on.fetchval(
        "SELECT name FROM subscription_versions WHERE project_id = $1 AND subscription_id = $2 ORDER BY version DESC LIMIT 1",
        project_id,
        subscription_id,
        timeout=TIMEOUT_SECONDS,
    )
    return found or str(subscription_id)
