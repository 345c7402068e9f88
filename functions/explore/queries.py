"""The SQL of events and deliveries. Every statement carries the project and keys or a range of them.

So only the partitions of those days are read.
"""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore.statements import DELIVERY, EVENT, VERSION, Statement

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_AS_IT_WAS = """
    SELECT v.subscription_id AS id, v.name, v.version, v.filters, coalesce(s.state, 'deleted') AS state,
        (SELECT min(f.created_at) FROM subscription_versions f WHERE f.subscription_id = v.subscription_id)
            AS created_at,
        v.created_at AS updated_at, v.deleted_at
    FROM subscription_versions v LEFT JOIN subscriptions s ON s.id = v.subscription_id
"""

_WITH_ATTEMPTS = f"""
    SELECT {DELIVERY}, d.first_detail, s.delivery->>'format' AS format,
        s.signing_secrets_sealed IS NOT NULL AS signed
    FROM deliveries d {VERSION} LEFT JOIN subscriptions s ON s.id = d.subscription_id
"""


async def fetch(conn: "Connection", statement: Statement) -> "list[Record]":
    """The rows of a statement that this folder put together."""
    return list(await conn.fetch(statement[0], *statement[1]))


async def lacking_days(conn: "Connection") -> list[str]:
    """The days that have no indexes of their own yet, such as `20261128`, the oldest first: today at least."""
    rows = await conn.fetch(
        """
        SELECT right(c.relname, 8) AS day FROM pg_class c
        WHERE c.relname >= 'events_p' AND c.relname < 'events_q' AND c.relkind = 'r'
          AND to_regclass(quote_ident(c.relname || '_by_extensions')) IS NULL
        ORDER BY c.relname
        """
    )
    return [row["day"] for row in rows]


async def event(conn: "Connection", project_id: UUID, uid: UUID) -> "Record | None":
    """One of the project's events."""
    return await conn.fetchrow(
        f"SELECT {EVENT} FROM events WHERE project_id = $1 AND uid = $2", project_id, uid
    )


async def is_archived(conn: "Connection", project_id: UUID, uid: UUID) -> bool:
    """Whether an object of the project's archive may have the event of that uid."""
    found: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM archive_parts p JOIN archives a USING (project_id, day)
            WHERE p.project_id = $1 AND p.first_uid <= $2 AND p.last_uid >= $2 AND a.sealed_at IS NOT NULL
        )
        """,
        project_id,
        uid,
    )
    return found


async def events_by_uid(
    conn: "Connection", project_id: UUID, uids: Sequence[UUID], max_bytes: int
) -> "list[Record]":
    """These events, newest first, up to the one whose data passes `max_bytes`."""
    return list(
        await conn.fetch(
            f"""
            SELECT * FROM (
                SELECT *, sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid DESC) AS bytes
                FROM (SELECT {EVENT} FROM events WHERE project_id = $1 AND uid = ANY($2::uuid[])) chosen
            ) page
            WHERE bytes - coalesce(octet_length(data), 0) <= $3 ORDER BY uid DESC
            """,
            project_id,
            uids,
            max_bytes,
        )
    )


OUTCOMES = """
    SELECT e.uid,
        count(*) FILTER (WHERE d.status = 'delivered') AS delivered,
        count(*) FILTER (WHERE d.status = 'retrying') AS retrying,
        count(*) FILTER (WHERE d.status = 'dead') AS dead,
        count(*) FILTER (WHERE d.status = 'pending') AS pending,
        count(*) FILTER (WHERE d.status = 'cancelled') AS cancelled,
        max(d.ended_at) FILTER (WHERE d.status = 'delivered') AS delivered_at
    FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS e (uid, low, high)
    CROSS JOIN LATERAL (
        SELECT status, ended_at FROM deliveries
        WHERE project_id = $1 AND id >= e.low AND id < e.high AND event_uid = e.uid
        OFFSET 0
    ) d
    GROUP BY e.uid
"""


async def outcomes(
    conn: "Connection",
    project_id: UUID,
    uids: Sequence[UUID],
    lows: Sequence[UUID],
    highs: Sequence[UUID],
) -> "dict[UUID, Record]":
    """How the deliveries of each of these events stand; an event without any is left out.

    The deliveries of `uids[i]` have ids from `lows[i]` to below `highs[i]`.
    """
    rows = await conn.fetch(OUTCOMES, project_id, uids, lows, highs)
    return {row["uid"]: row for row in rows}


async def delivery(conn: "Connection", project_id: UUID, delivery_id: UUID) -> "Record | None":
    """One of the project's deliveries, with the detail of its first attempt."""
    return await conn.fetchrow(
        f"{_WITH_ATTEMPTS} WHERE d.project_id = $1 AND d.id = $2",
        project_id,
        delivery_id,
    )


async def deliveries_of_event(
    conn: "Connection", project_id: UUID, uid: UUID, low: UUID, high: UUID
) -> "list[Record]":
    """All deliveries of an event, which have ids from `low` to below `high`, by subscription."""
    return list(
        await conn.fetch(
            f"""
            {_WITH_ATTEMPTS}
            WHERE d.project_id = $1 AND d.id >= $3 AND d.id < $4 AND d.event_uid = $2
            ORDER BY d.subscription_id, d.id
            """,
            project_id,
            uid,
            low,
            high,
        )
    )


async def attempts(
    conn: "Connection", project_id: UUID, low: UUID, high: UUID, delivery_ids: Sequence[UUID]
) -> "list[Record]":
    """The attempts after the first of these deliveries, whose ids lie from `low` to below `high`."""
    return list(
        await conn.fetch(
            """
            SELECT delivery_id, number, started_at, duration_us, status_code, error, detail
            FROM attempts
            WHERE project_id = $1 AND delivery_id >= $2 AND delivery_id < $3 AND delivery_id = ANY($4::uuid[])
            ORDER BY delivery_id, number
            """,
            project_id,
            low,
            high,
            delivery_ids,
        )
    )


async def subscriptions(conn: "Connection", project_id: UUID) -> "list[Record]":
    """Every subscription of the project as it is now, the oldest first."""
    return list(
        await conn.fetch(
            "SELECT id, name, version, filters, state, created_at, updated_at, NULL::timestamptz AS deleted_at"
            " FROM subscriptions WHERE project_id = $1 AND replay_id IS NULL ORDER BY id",
            project_id,
        )
    )


async def subscription_at(
    conn: "Connection", project_id: UUID, subscription_id: UUID, version: int | None
) -> "Record | None":
    """What a subscription said at that version, or says at its last one; it may be deleted since."""
    return await conn.fetchrow(
        f"""
        {_AS_IT_WAS}
        WHERE v.project_id = $1 AND v.subscription_id = $2 AND ($3::integer IS NULL OR v.version = $3)
        ORDER BY v.version DESC LIMIT 1
        """,
        project_id,
        subscription_id,
        version,
    )


async def subscriptions_then(conn: "Connection", project_id: UUID, received: datetime) -> "list[Record]":
    """Every subscription that there was at `received`, as it was then, the oldest first.

    Of those that were deleted before that was noted, nobody knows whether they were still there: left out.
    """
    return list(
        await conn.fetch(
            f"""
            SELECT * FROM (
                SELECT DISTINCT ON (found.id) found.* FROM (
                    {_AS_IT_WAS}
                    WHERE v.project_id = $1 AND v.created_at <= $2
                      AND (v.deleted_at > $2 OR (v.deleted_at IS NULL AND s.id IS NOT NULL))
                ) found ORDER BY found.id, found.version DESC
            ) then_ ORDER BY id
            """,
            project_id,
            received,
        )
    )
