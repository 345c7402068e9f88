"""The SQL of recalls."""

# ruff: noqa: S608 statements are put together from constants of this function alone

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from shared.auth.names import name_of

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

_RECALL = f"""
    SELECT r.id, r.event_uid AS event, r.since, r.until, r.type, r.source, r.subject, r.reason, r.error, r.events,
        CASE WHEN r.state = 'done' AND r.keep_until <= now() THEN 'over' ELSE r.state END AS state,
        r.keep_until, {name_of("r.created_by")} AS created_by, r.created_at, r.ended_at
    FROM recalls r
"""


async def recalls(
    on: "Connection | Pool", project_id: UUID, *, before: UUID | None, limit: int
) -> "list[Record]":
    """A project's recalls, newest first."""
    rows: list[Record] = await on.fetch(
        f"{_RECALL} WHERE r.project_id = $1 AND ($2::uuid IS NULL OR r.id < $2) ORDER BY r.id DESC LIMIT $3",
        project_id,
        before,
        limit,
    )
    return rows


async def recall(on: "Connection | Pool", project_id: UUID, recall_id: UUID) -> "Record | None":
    """One of them."""
    return await on.fetchrow(f"{_RECALL} WHERE r.project_id = $1 AND r.id = $2", project_id, recall_id)


async def job(on: "Connection | Pool", project_id: UUID, recall_id: UUID) -> "Record | None":
    """One of them as whoever works on it needs it."""
    return await on.fetchrow(
        "SELECT * FROM recalls WHERE project_id = $1 AND id = $2 AND state = 'running'", project_id, recall_id
    )


async def insert(
    on: "Connection",
    project_id: UUID,
    recall_id: UUID,
    *,
    event: UUID | None,
    since: datetime,
    until: datetime,
    type: str | None,  # noqa: A002 CloudEvents' word
    source: str | None,
    subject: str | None,
    reason: str,
    keep_days: int,
    by: str,
) -> None:
    """Ask for one."""
    await on.execute(
        """
        INSERT INTO recalls
            (id, project_id, event_uid, since, until, type, source, subject, reason, keep_until, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10 * interval '1 day', $11)
        """,
        recall_id,
        project_id,
        event,
        since,
        until,
        type,
        source,
        subject,
        reason,
        keep_days,
        by,
    )


async def end(on: "Connection", project_id: UUID, recall_id: UUID) -> bool:
    """Let its events go again; False where they may already."""
    done: str = await on.execute(
        """
        UPDATE recalls
        SET state = CASE state WHEN 'running' THEN 'cancelled' ELSE state END, keep_until = now(),
            ended_at = coalesce(ended_at, now())
        WHERE project_id = $1 AND id = $2 AND keep_until > now() AND state IN ('running', 'done')
        """,
        project_id,
        recall_id,
    )
    return done == "UPDATE 1"


async def at_most(on: "Connection | Pool", project_id: UUID, spans: list[tuple[UUID, UUID]]) -> list[int]:
    """How many archived events the objects have that each span of uids touches."""
    rows = await on.fetch(
        """
        SELECT coalesce((
            SELECT sum(p.events) FROM archive_parts p JOIN archives a USING (project_id, day)
            WHERE p.project_id = $1 AND a.sealed_at IS NOT NULL AND p.first_uid < s.high AND p.last_uid >= s.low
        ), 0)::bigint AS events
        FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS s (low, high, place) ORDER BY place
        """,
        project_id,
        [low for low, _ in spans],
        [high for _, high in spans],
    )
    return [row["events"] for row in rows]
