"""The statements that store events."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

TIMEOUT_SECONDS = 10

INSERT = """
INSERT INTO events (uid, identity, project_id, shard, data_kind, id, source, type, specversion,
                    subject, time, datacontenttype, dataschema, extensions, data, producer, facets, schema_fault)
SELECT i.uid, i.identity, i.project_id, i.shard, i.data_kind, i.id, i.source, i.type, i.specversion,
       i.subject, i.time, i.datacontenttype, i.dataschema, i.extensions::jsonb, i.data, i.producer,
       i.facets::jsonb, i.schema_fault
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::smallint[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
            $15::bytea[], $16::text[], $17::text[], $18::text[])
     AS i (uid, identity, project_id, shard, data_kind, id, source, type, specversion,
           subject, time, datacontenttype, dataschema, extensions, data, producer, facets, schema_fault)
LEFT JOIN LATERAL (
    SELECT true AS found FROM events e
    WHERE e.identity = i.identity AND e.uid >= $19 AND e.uid < $20 LIMIT 1
) yesterday ON true
WHERE yesterday.found IS NULL
ON CONFLICT DO NOTHING
RETURNING uid
"""

FIRST = """
SELECT DISTINCT ON (e.identity) e.identity, e.uid
FROM unnest($1::uuid[]) AS i (identity)
JOIN LATERAL (SELECT f.identity, f.uid FROM events f WHERE f.identity = i.identity AND f.uid >= $2 OFFSET 0) e
  ON true
ORDER BY e.identity, e.uid
"""


async def insert_new(
    connection: "asyncpg.Connection",
    columns: Sequence[Sequence[Any]],
    yesterday: UUID,
    today: UUID,
) -> set[UUID]:
    """Store rows that nobody stored since `yesterday`; the uids of those that were new.

    `columns` are those of INSERT; their rows are of the day that begins at `today` and in the order of
    `identity`, so that two statements with the same events cannot block each other. A copy in a
    transaction that has not ended yet is waited for.
    """
    rows = await connection.fetch(INSERT, *columns, yesterday, today, timeout=TIMEOUT_SECONDS)
    return {row[0] for row in rows}


async def first_uids(
    connection: "asyncpg.Connection", identities: Sequence[UUID], since: UUID
) -> dict[UUID, UUID]:
    """Identity to the uid of the event that has it, among those stored since `since`."""
    return {
        row[0]: row[1] for row in await connection.fetch(FIRST, identities, since, timeout=TIMEOUT_SECONDS)
    }


async def intake(on: "asyncpg.Pool", project_id: UUID) -> "asyncpg.Record | None":
    """How a project takes events in, with the version that grows when any of it changes."""
    return await on.fetchrow(
        "SELECT intake_version, rate_per_second, burst, allowed_origins FROM projects WHERE id = $1",
        project_id,
        timeout=TIMEOUT_SECONDS,
    )


async def ensure_partitions(connection: "asyncpg.Connection", first: date, last: date) -> None:
    """Make the partitions of these days (UTC) that are not there."""
    await connection.execute("SELECT ensure_partitions($1, $2)", first, last, timeout=TIMEOUT_SECONDS)
