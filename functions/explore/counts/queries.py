"""The SQL of counts: of events that were found, and never of more."""

# ruff: noqa: S608 statements are put together from constants of this folder alone

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore.conditions import outcome_of

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SHOWN = 10
"""Values of one thing that are shown."""

_FOUND = """
    SELECT e.uid, e.type, e.source, e.facets FROM events e WHERE e.project_id = $1 AND e.uid = ANY($2::uuid[])
"""

_BY = {
    "outcome": f"SELECT 'outcome' AS kind, 'outcome' AS name, {outcome_of('$1')} AS value FROM found e",
    "type": "SELECT 'type' AS kind, 'type' AS name, e.type AS value FROM found e",
    "source": "SELECT 'source' AS kind, 'source' AS name, e.source AS value FROM found e",
    # Of a facet that is an array, each element is a value; one that is there twice counts once.
    "facet": """
        SELECT DISTINCT 'facet' AS kind, f.key AS name, v.value #>> '{}' AS value, e.uid
        FROM found e CROSS JOIN LATERAL jsonb_each(e.facets) f
        CROSS JOIN LATERAL jsonb_array_elements(
            CASE jsonb_typeof(f.value) WHEN 'array' THEN f.value ELSE jsonb_build_array(f.value) END) v
        WHERE e.facets IS NOT NULL
    """,
}


async def outcomes(conn: "Connection", project_id: UUID, uids: Sequence[UUID]) -> "list[Record]":
    """How each of these events stands: `uid`, `outcome`."""
    return list(
        await conn.fetch(
            f"SELECT e.uid, {outcome_of('$1')} AS outcome FROM unnest($2::uuid[]) AS e (uid)",
            project_id,
            uids,
        )
    )


async def values(
    conn: "Connection", project_id: UUID, uids: Sequence[UUID], kinds: Sequence[str]
) -> "list[Record]":
    """The most frequent values of these events: `kind`, `name`, `value`, `count`, and `more` for how many others."""
    by_kind = " UNION ALL ".join(f"(SELECT kind, name, value FROM ({_BY[kind]}) by_{kind})" for kind in kinds)
    return list(
        await conn.fetch(
            f"""
            WITH found AS MATERIALIZED ({_FOUND})
            SELECT kind, name, value, count, values - {SHOWN} AS more FROM (
                SELECT kind, name, value, count(*) AS count,
                    row_number() OVER (PARTITION BY kind, name ORDER BY count(*) DESC, value) AS place,
                    count(*) OVER (PARTITION BY kind, name) AS values
                FROM ({by_kind}) by_kind WHERE value IS NOT NULL GROUP BY kind, name, value
            ) ranked WHERE place <= {SHOWN} ORDER BY kind, name, place
            """,
            project_id,
            uids,
        )
    )


CAUSES = """
    WITH failed AS MATERIALIZED (
        SELECT d.status, d.subscription_id, d.last_status_code AS status_code,
            CASE WHEN d.last_status_code IS NULL THEN coalesce(d.last_error, '') END AS error,
            count(*) AS count, max(d.subscription_version) AS version,
            min(d.id::text)::uuid AS first, max(d.id::text)::uuid AS last
        FROM deliveries d
        WHERE d.project_id = $1 AND d.id = ANY($2::uuid[]) AND d.id >= $3 AND d.id <= $4
          AND d.status <> 'delivered' AND d.attempt_count > 0
          AND (d.last_status_code IS NULL OR d.last_status_code NOT BETWEEN 200 AND 299)
        GROUP BY 1, 2, 3, 4
    )
    SELECT f.*, coalesce(v.name, '') AS name, coalesce(v.sink, '') AS sink, count(*) OVER () AS causes
    FROM failed f
    LEFT JOIN subscription_versions v ON v.subscription_id = f.subscription_id AND v.version = f.version
    ORDER BY f.count DESC, f.last DESC LIMIT $5
"""


async def causes(conn: "Connection", project_id: UUID, ids: Sequence[UUID], most: int) -> "list[Record]":
    """Why those of these deliveries failed that did, the most frequent causes first; `causes` is how many there are."""
    return list(await conn.fetch(CAUSES, project_id, ids, min(ids), max(ids), most))


async def oldest(conn: "Connection", project_id: UUID) -> UUID | None:
    """The first event of a project that is kept."""
    uid: UUID | None = await conn.fetchval(
        "SELECT uid FROM events WHERE project_id = $1 ORDER BY uid LIMIT 1", project_id
    )
    return uid
