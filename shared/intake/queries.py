"""The statements that store events."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    import asyncpg

TIMEOUT_SECONDS = 5
DAYS_LOCK = 0x57454952_0003
"""Advisory lock: two days meet, and no index spans both."""


COLUMNS = (
    "uid",
    "identity",
    "project_id",
    "shard",
    "data_kind",
    "id",
    "source",
    "type",
    "specversion",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "extensions",
    "data",
    "producer",
    "facets",
    "schema_fault",
    "schema_version",
    "taken_us",
    "commit_events",
)
"""What ingest writes of an event; the rest has defaults."""

_TYPES = (
    *("uuid",) * 3,
    *("smallint",) * 2,
    *("text",) * 8,
    "jsonb",
    "bytea",
    "text",
    "jsonb",
    "text",
    *("integer",) * 3,
)
"""Of COLUMNS."""

_YESTERDAY, _TODAY = (f"${len(COLUMNS) + n}" for n in (1, 2))


def _insert(rows: str) -> str:
    """Insert `rows` that were not stored since `_YESTERDAY`; today begins at `_TODAY`."""
    return f"""
INSERT INTO events ({", ".join(COLUMNS)})
SELECT {", ".join("i." + column for column in COLUMNS)}
FROM {rows} AS i ({", ".join(COLUMNS)})
LEFT JOIN LATERAL (
    SELECT true AS found FROM events e
    WHERE e.identity = i.identity AND e.uid >= {_YESTERDAY} AND e.uid < {_TODAY} LIMIT 1
) yesterday ON true
WHERE yesterday.found IS NULL
ON CONFLICT DO NOTHING
RETURNING uid
"""  # noqa: S608 put together from constants


INSERT = _insert("unnest(" + ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES, 1)) + ")")
INSERT_ONE = _insert("(VALUES (" + ", ".join(f"${n}::{kind}" for n, kind in enumerate(_TYPES, 1)) + "))")

FIRST = """
SELECT DISTINCT ON (e.identity) e.identity, e.uid
FROM unnest($1::uuid[]) AS i (identity)
JOIN LATERAL (
    SELECT f.identity, f.uid FROM events f WHERE f.identity = i.identity AND f.uid >= $2 AND f.uid < $3 OFFSET 0
) e ON true
ORDER BY e.identity, e.uid
"""


async def insert_new(
    connection: "asyncpg.Connection",
    rows: Sequence[Sequence[Any]],
    yesterday: UUID,
    today: UUID,
) -> set[UUID]:
    """Store rows that nobody stored since `yesterday`; the uids of those that were new.

    `rows` have the values of COLUMNS; they are of the day that begins at `today` and in the order of
    `identity`, so that two statements with the same events cannot block each other. A copy in a
    transaction that has not ended yet is waited for.
    """
    if len(rows) == 1:  # as it is where little happens: arrays of one cost both sides twice as much
        found = await connection.fetch(INSERT_ONE, *rows[0], yesterday, today, timeout=TIMEOUT_SECONDS)
    else:
        columns = zip(*rows, strict=True)
        found = await connection.fetch(INSERT, *columns, yesterday, today, timeout=TIMEOUT_SECONDS)
    return {row[0] for row in found}


async def copy_new(connection: "asyncpg.Connection", rows: Sequence[Sequence[Any]], day: date) -> None:
    """Store rows of that day (UTC) that are known to be new, all or none, in half the time of `insert_new`.

    Into its partition: Postgres copies into no table with row-level security. Raises UniqueViolationError when one
    of them is not new after all, and UndefinedTableError when the day has no partition.
    """
    partition = f"events_p{day:%Y%m%d}"
    await connection.copy_records_to_table(partition, records=rows, columns=COLUMNS, timeout=TIMEOUT_SECONDS)


async def lock_days(connection: "asyncpg.Connection") -> None:
    """Be alone among those who store around midnight, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", DAYS_LOCK, timeout=TIMEOUT_SECONDS)


async def first_uids(
    connection: "asyncpg.Connection", identities: Sequence[UUID], since: UUID, until: UUID
) -> dict[UUID, UUID]:
    """Identity to the uid of the event that has it, among those with uids from `since` to before `until`."""
    rows = await connection.fetch(FIRST, identities, since, until, timeout=TIMEOUT_SECONDS)
    return {row[0]: row[1] for row in rows}


async def intake_version(on: "asyncpg.Pool", project_id: UUID) -> int | None:
    """The number that grows when anything changes by which the project takes events in."""
    version: int | None = await on.fetchval(
        "SELECT intake_version FROM projects WHERE id = $1", project_id, timeout=TIMEOUT_SECONDS
    )
    return version


async def type_rules(on: "asyncpg.Pool", project_id: UUID) -> "list[asyncpg.Record]":
    """The types that have facets, or a schema in force, with the versions of the latter: a row for each."""
    return list(
        await on.fetch(
            """
            SELECT t.type, t.schema_mode, t.facets, s.version, s.dataschema, s.digest
            FROM event_types t
            LEFT JOIN event_schemas s
                ON s.project_id = t.project_id AND s.type = t.type AND t.schema_mode <> 'off'
            WHERE t.project_id = $1 AND (t.schema_mode <> 'off' OR t.facets <> '{}')
            ORDER BY t.type, s.version
            """,
            project_id,
            timeout=TIMEOUT_SECONDS,
        )
    )


async def schema_text(on: "asyncpg.Pool", project_id: UUID, type_: str, digest: bytes) -> str | None:
    """The text of a schema of this type."""
    text: str | None = await on.fetchval(
        "SELECT schema FROM event_schemas WHERE project_id = $1 AND type = $2 AND digest = $3 LIMIT 1",
        project_id,
        type_,
        digest,
        timeout=TIMEOUT_SECONDS,
    )
    return text


async def ensure_partitions(connection: "asyncpg.Connection", first: date, last: date) -> None:
    """Make the partitions of these days (UTC) that are not there."""
    await connection.execute("SELECT ensure_partitions($1, $2)", first, last, timeout=TIMEOUT_SECONDS)
