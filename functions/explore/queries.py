"""The SQL of events and deliveries. Every statement carries the project and keys or a range of them.

So only the partitions of those days are read.
"""

# ruff: noqa: S608 statements are put together from constants of this file alone

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore.search import Search
from shared.core.facets import meanings

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_EVENT = """
    uid, specversion, id, source, type, subject, time, datacontenttype, dataschema, extensions, data, data_kind,
    producer, facets, schema_fault
"""

# `escape` shows every payload as a text of its ASCII characters, so no payload makes the statement fail.
_FOUND = """
    strpos(lower(type), $1) > 0 OR strpos(lower(source), $1) > 0 OR strpos(lower(id), $1) > 0
    OR strpos(lower(coalesce(subject, '')), $1) > 0
    OR strpos(lower(encode(substring(data FOR $3), 'escape')), lower(encode($2, 'escape'))) > 0
"""

_DELIVERY = """
    d.id, d.event_uid, d.subscription_id, d.status, d.held, d.attempt_count, d.next_attempt_at, d.created_at,
    d.ended_at, d.last_status_code, d.last_error, d.first_started_at, d.first_duration_us,
    d.first_status_code, d.first_error, d.dead_letter, v.name AS subscription_name, v.sink
"""

_VERSION = """
    LEFT JOIN subscription_versions v
        ON v.subscription_id = d.subscription_id AND v.version = d.subscription_version
"""

_AS_IT_WAS = """
    SELECT v.subscription_id AS id, v.name, v.version, v.filters, coalesce(s.state, 'deleted') AS state,
        (SELECT min(f.created_at) FROM subscription_versions f WHERE f.subscription_id = v.subscription_id)
            AS created_at,
        v.created_at AS updated_at, v.deleted_at
    FROM subscription_versions v LEFT JOIN subscriptions s ON s.id = v.subscription_id
"""

_WITH_ATTEMPTS = f"""
    SELECT {_DELIVERY}, d.first_detail, s.delivery->>'format' AS format,
        s.signing_secrets_sealed IS NOT NULL AS signed
    FROM deliveries d {_VERSION} LEFT JOIN subscriptions s ON s.id = d.subscription_id
"""


def _where(search: Search, first: int) -> tuple[str, list[object]]:
    """The conditions on events, with parameters numbered from `first`."""
    conditions: list[str] = []
    values: list[object] = []

    def add(condition: str, value: object) -> None:
        values.append(value)
        conditions.append(condition.format(f"${first + len(values) - 1}"))

    add("project_id = {}", search.project_id)
    add("uid >= {}", search.low)
    add("uid < {}", search.high)
    if search.identity is not None:
        add("identity = {}", search.identity)
    if search.type is not None:
        # The index holds the first 255 characters: an entry has a size limit, a type has none.
        add("left(type, 255) = left({}, 255)", search.type)
        add("type = {}", search.type)
    if search.source is not None:
        add("source = {}", search.source)
    if search.id is not None:
        add("id = {}", search.id)
    if search.subject is not None:
        add("subject = {}", search.subject)
    if search.producer is not None:
        add("producer = {}", search.producer)
    if search.faulty is not None:
        conditions.append(f"schema_fault IS {'NOT ' if search.faulty else ''}NULL")
    for name, value in search.facets:
        # A value may be one of several, and a number or a boolean as well as a text.
        said = [{name: v} for meaning in meanings(value) for v in (meaning, [meaning])]
        conditions.append("(" + " OR ".join(_contains(values, first, document) for document in said) + ")")
    return " AND ".join(conditions), values


def _events(search: Search) -> str:
    """The table to look in, or the view of the project's own events.

    The view has an index for what no index behind row-level security serves (migration 0014).
    """
    return "events" if search.type is None and not search.facets else "own_events"


def _contains(values: list[object], first: int, document: object) -> str:
    values.append(document)
    return f"facets @> ${first + len(values) - 1}"


def facet_window(search: Search, limit: int) -> tuple[str, list[object]]:
    """The newest uids of the range, by the index of facets alone.

    Without a materialized step the planner may go through all events by key, hoping to find some soon.
    """
    where, values = _where(search, 2)
    return (
        f"""
        WITH matching AS MATERIALIZED (SELECT uid FROM {_events(search)} WHERE {where} AND facets IS NOT NULL)
        SELECT uid FROM matching ORDER BY uid DESC LIMIT $1
        """,
        [limit, *values],
    )


def events_page(search: Search, limit: int, max_bytes: int) -> tuple[str, list[object]]:
    """A page of events, newest first, as a statement and its parameters.

    `found` is how many there were up to `limit`; of them come those up to the one whose data passes `max_bytes`.
    """
    where, values = _where(search, 3)
    return (
        f"""
        SELECT * FROM (
            SELECT *, count(*) OVER () AS found,
                sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid DESC) AS bytes
            FROM (SELECT {_EVENT} FROM {_events(search)} WHERE {where} ORDER BY uid DESC LIMIT $1) newest
        ) page
        WHERE bytes - coalesce(octet_length(data), 0) <= $2 ORDER BY uid DESC
        """,
        [limit, max_bytes, *values],
    )


def text_window(search: Search, text: str, data_bytes: int, limit: int) -> tuple[str, list[object]]:
    """Which of the newest `limit` events have `text` somewhere: `uid`, `found`, newest first."""
    where, values = _where(search, 5)
    return (
        f"""
        SELECT uid, ({_FOUND}) AS found FROM (
            SELECT uid, type, source, id, subject, data FROM {_events(search)} WHERE {where}
            ORDER BY uid DESC LIMIT $4
        ) newest ORDER BY uid DESC
        """,
        [text.lower(), text.encode(), data_bytes, limit, *values],
    )


async def fetch(conn: "Connection", statement: tuple[str, list[object]]) -> "list[Record]":
    """The rows of a statement that this file put together."""
    return list(await conn.fetch(statement[0], *statement[1]))


async def event(conn: "Connection", project_id: UUID, uid: UUID) -> "Record | None":
    """One of the project's events."""
    return await conn.fetchrow(
        f"SELECT {_EVENT} FROM events WHERE project_id = $1 AND uid = $2", project_id, uid
    )


async def events_by_uid(
    conn: "Connection", project_id: UUID, uids: Sequence[UUID], max_bytes: int
) -> "list[Record]":
    """These events, newest first, up to the one whose data passes `max_bytes`."""
    return list(
        await conn.fetch(
            f"""
            SELECT * FROM (
                SELECT *, sum(coalesce(octet_length(data), 0)) OVER (ORDER BY uid DESC) AS bytes
                FROM (SELECT {_EVENT} FROM events WHERE project_id = $1 AND uid = ANY($2::uuid[])) chosen
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


def deliveries_page(search: Search, status: str | None, limit: int) -> tuple[str, list[object]]:
    """A page of deliveries, newest event first, as a statement and its parameters.

    `status` is one of the five and stands in the text: a partial index serves it only so.
    """
    conditions = ["d.project_id = $1", "d.id >= $2", "d.id < $3"]
    values: list[object] = [search.project_id, search.low, search.high, limit]
    if search.event is not None:
        values.append(search.event)
        conditions.append(f"d.event_uid = ${len(values)}")
    if search.subscription is not None:
        values.append(search.subscription)
        conditions.append(f"d.subscription_id = ${len(values)}")
    if status is not None:
        assert status.isalpha()
        conditions.append(f"d.status = '{status}'")
    return (
        f"""
        SELECT {_DELIVERY}, e.type AS event_type
        FROM (SELECT * FROM deliveries d WHERE {" AND ".join(conditions)} ORDER BY d.id DESC LIMIT $4) d
        {_VERSION}
        LEFT JOIN LATERAL (SELECT type FROM events WHERE uid = d.event_uid AND project_id = $1 OFFSET 0) e
            ON true
        ORDER BY d.id DESC
        """,
        values,
    )


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
