"""The SQL of replays. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.auth.names import name_of
from shared.core.breaker import PROBE

if TYPE_CHECKING:
    from asyncpg import Connection, Record

LATELY = 200
"""How many of a subscription's newest deliveries tell how its sink does."""

_COLUMNS = f"""
    r.id, r.kind, r.state, r.state_reason, r.reason, r.selection, r.target, r.target_name, r.one_off,
    r.rate_per_second, r.stop_failed, r.stop_of, r.total, r.created_at, r.ended_at,
    {name_of("r.created_by", gone="split_part(r.created_by, ':', 1)")} AS created_by
"""

_SINKS = """
    LEFT JOIN LATERAL (
        SELECT coalesce(sum(k.opened), 0)::bigint AS opened, coalesce(sum(k.skipped), 0)::bigint AS skipped,
            coalesce(bool_and(k.is_read), true) AS is_read
        FROM replay_sinks k WHERE k.replay_id = r.id
    ) sinks ON true
"""

# Of what a replay opened, all but what was delivered is counted by an index that has nothing else.
_COUNTS = """
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE d.status IN ('pending', 'retrying')) AS waiting,
            count(*) FILTER (WHERE d.status = 'dead') AS failed,
            count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled
        FROM deliveries d
        WHERE d.project_id = $1 AND d.replay_id = r.id AND d.status <> 'delivered' AND r.kind <> 'cancel'
    ) counts ON true
"""

_REPLAY = f"SELECT {_COLUMNS}, sinks.*, counts.* FROM replays r {_SINKS} {_COUNTS}"


async def replays(
    conn: "Connection", project_id: UUID, state: str | None, before: UUID | None, limit: int
) -> "list[Record]":
    """A page, newest first."""
    return list(
        await conn.fetch(
            f"""
            {_REPLAY}
            WHERE r.project_id = $1 AND ($2::uuid IS NULL OR r.id < $2) AND ($3::text IS NULL OR r.state = $3)
            ORDER BY r.id DESC LIMIT $4
            """,
            project_id,
            before,
            state,
            limit,
        )
    )


async def replay(conn: "Connection", project_id: UUID, replay_id: UUID) -> "Record | None":
    """One of the project's."""
    return await conn.fetchrow(f"{_REPLAY} WHERE r.project_id = $1 AND r.id = $2", project_id, replay_id)


async def sinks(conn: "Connection", project_id: UUID, replay_id: UUID) -> "list[Record]":
    """How far a replay is at each sink, those with the most first."""
    return list(
        await conn.fetch(
            """
            SELECT k.subscription_id, k.total, k.opened, k.skipped, k.is_read, v.name, v.sink
            FROM replay_sinks k LEFT JOIN LATERAL (
                SELECT name, sink FROM subscription_versions v
                WHERE v.project_id = $1 AND v.subscription_id = k.subscription_id ORDER BY version DESC LIMIT 1
            ) v ON true
            WHERE k.project_id = $1 AND k.replay_id = $2 ORDER BY k.total DESC NULLS LAST, k.subscription_id
            """,
            project_id,
            replay_id,
        )
    )


async def locked(conn: "Connection", project_id: UUID, replay_id: UUID) -> "Record | None":
    """One of the project's, which nobody else works on until the transaction ends."""
    return await conn.fetchrow(
        "SELECT id, kind, state, state_reason, rate_per_second, target, one_off, reason FROM replays"
        " WHERE project_id = $1 AND id = $2 FOR UPDATE",
        project_id,
        replay_id,
    )


async def insert(conn: "Connection", project_id: UUID, replay_id: UUID, members: dict[str, Any]) -> None:
    """A new one, with these columns."""
    names = list(members)
    await conn.execute(
        f"INSERT INTO replays (id, project_id, {', '.join(names)})"
        f" VALUES ($1, $2, {', '.join(f'${number}' for number in range(3, 3 + len(names)))})",
        replay_id,
        project_id,
        *members.values(),
    )


async def insert_sinks(
    conn: "Connection",
    project_id: UUID,
    replay_id: UUID,
    low: UUID,
    totals: dict[UUID, int | None],
) -> None:
    """What it has of each subscription, none of it opened yet."""
    await conn.execute(
        """
        INSERT INTO replay_sinks (replay_id, subscription_id, project_id, total, cursor)
        SELECT $1, n.id, $2, n.total, $3 FROM unnest($4::uuid[], $5::bigint[]) AS n (id, total)
        """,
        replay_id,
        project_id,
        low,
        list(totals),
        list(totals.values()),
    )


async def opened(
    conn: "Connection", project_id: UUID, replay_id: UUID, subscription_id: UUID, *, count: int, skipped: int
) -> None:
    """All there is of that subscription was opened, or skipped."""
    await conn.execute(
        """
        UPDATE replay_sinks SET opened = $4, skipped = $5, is_read = true
        WHERE project_id = $1 AND replay_id = $2 AND subscription_id = $3
        """,
        project_id,
        replay_id,
        subscription_id,
        count,
        skipped,
    )


async def set_state(
    conn: "Connection", project_id: UUID, replay_id: UUID, state: str, reason: str | None
) -> None:
    """Let it be in that state. Who worked on it does so no more."""
    await conn.execute(
        """
        UPDATE replays SET state = $3, state_reason = $4, owner = NULL, lease_until = NULL, epoch = epoch + 1,
            ended_at = CASE WHEN $3 IN ('done', 'cancelled') THEN now() END
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        replay_id,
        state,
        reason,
    )


async def set_rate(conn: "Connection", project_id: UUID, replay_id: UUID, rate: float | None) -> None:
    """From now on at that rate. Nobody waits any longer for the one before."""
    await conn.execute(
        """
        UPDATE replays SET rate_per_second = $3,
            lease_until = CASE WHEN owner IS NOT NULL THEN least(lease_until, now() + interval '15 seconds') END
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        replay_id,
        rate,
    )


async def subscription_named(conn: "Connection", project_id: UUID, name: str) -> "Record | None":
    """The subscription of that name, with what decides how it is delivered to."""
    return await conn.fetchrow(
        "SELECT id, name, filters FROM subscriptions WHERE project_id = $1 AND name = $2 AND replay_id IS NULL",
        project_id,
        name,
    )


async def subscription(conn: "Connection", project_id: UUID, subscription_id: UUID) -> "Record | None":
    """The same by its id."""
    return await conn.fetchrow(
        "SELECT id, name, filters FROM subscriptions WHERE project_id = $1 AND id = $2 AND replay_id IS NULL",
        project_id,
        subscription_id,
    )


async def was_there(conn: "Connection", project_id: UUID, subscription_id: UUID) -> bool:
    """Whether there is such a subscription, or was one."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM subscription_versions WHERE project_id = $1 AND subscription_id = $2)",
        project_id,
        subscription_id,
    )
    return found


async def all_subscriptions(conn: "Connection", project_id: UUID) -> list[UUID]:
    """Every subscription there is, or was: deliveries of those that are deleted are there still."""
    rows = await conn.fetch(
        "SELECT DISTINCT subscription_id FROM subscription_versions WHERE project_id = $1", project_id
    )
    return [row["subscription_id"] for row in rows]


async def prospects(
    conn: "Connection", project_id: UUID, subscription_ids: list[UUID], since: UUID
) -> "dict[UUID, Record]":
    """Of each subscription what it is now, and what became of its newest deliveries of events received `since`.

    One that is deleted is as it was last; of its `state` nothing is said then.
    """
    rows = await conn.fetch(
        """
        SELECT o.id, v.name, v.sink, s.state, s.delivery, s.replay_id IS NOT NULL AS is_one_off, h.state AS circuit,
            lately.*
        FROM unnest($2::uuid[]) AS o (id)
        LEFT JOIN subscriptions s ON s.project_id = $1 AND s.id = o.id
        LEFT JOIN LATERAL (
            SELECT name, sink FROM subscription_versions v
            WHERE v.project_id = $1 AND v.subscription_id = o.id ORDER BY version DESC LIMIT 1
        ) v ON true
        LEFT JOIN LATERAL (
            SELECT h.state FROM sink_health h
            WHERE h.subscription_id = s.id AND h.subscription_version = s.version AND h.expires_at > now() AND h.owner <> $5
            ORDER BY array_position(ARRAY['open', 'halfOpen', 'closed'], h.state) LIMIT 1
        ) h ON true
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(d.attempt_count - d.attempts_before), 0)::bigint AS attempts,
                count(*) FILTER (WHERE d.status = 'delivered') AS delivered,
                (avg(d.first_duration_us) / 1000000)::float8 AS answer_seconds
            FROM (
                SELECT attempt_count, attempts_before, status, first_duration_us FROM deliveries
                WHERE project_id = $1 AND subscription_id = o.id AND id >= $3 AND attempt_count > attempts_before
                ORDER BY id DESC LIMIT $4
            ) d
        ) lately ON true
        """,
        project_id,
        subscription_ids,
        since,
        LATELY,
        PROBE,
    )
    return {row["id"]: row for row in rows}


async def delivery_status(conn: "Connection", project_id: UUID, delivery_id: UUID) -> str | None:
    """The state of a delivery, if there is such a one."""
    status: str | None = await conn.fetchval(
        "SELECT status FROM deliveries WHERE project_id = $1 AND id = $2", project_id, delivery_id
    )
    return status


async def is_event(conn: "Connection", project_id: UUID, uid: UUID) -> bool:
    """Whether there is an event with that uid."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM events WHERE project_id = $1 AND uid = $2)", project_id, uid
    )
    return found


async def add_one_off(
    conn: "Connection", project_id: UUID, replay_id: UUID, subscription_id: UUID, *, name: str, sink: str
) -> None:
    """A subscription for a replay alone: it matches nothing, so that it gets nothing else."""
    await conn.execute(
        """
        INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery, replay_id)
        VALUES ($3, $1, $4, '[{"sql": "FALSE"}]', $5, '{}', $2)
        """,
        project_id,
        replay_id,
        subscription_id,
        name,
        sink,
    )
    await conn.execute(
        """
        INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)
        SELECT id, version, project_id, name, filters, sink FROM subscriptions WHERE project_id = $1 AND id = $2
        """,
        project_id,
        subscription_id,
    )
    await conn.execute("UPDATE projects SET version = version + 1 WHERE id = $1", project_id)
