"""Bringing archived events back as the rows that they were.

They have the uid, and so the day, that they had. Their place in the order of commits is before every reader's: nobody
who follows the stream meets them again, and nothing is delivered by itself. Whoever searches or replays finds them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.archive import catalog
from shared.archive.lines import Line, event_of
from shared.archive.reading import Damaged, forward
from shared.archive.store import MissingObject, Store
from shared.archive.wanted import Wanted, between, day_of
from shared.core.ids import identity, shard_of_key, shard_of_uid

if TYPE_CHECKING:
    from asyncpg import Connection, Record

LOCK = 0x57454952_0019
"""Advisory lock: what one process archives or brings back, no other removes."""

TIMEOUT_SECONDS = 30

_COLUMNS = (
    *(
        "uid",
        "project_id",
        "shard",
        "data_kind",
        "identity",
        "id",
        "source",
        "type",
        "specversion",
        "subject",
    ),
    *("time", "datacontenttype", "dataschema", "extensions", "data", "producer", "facets", "schema_fault"),
)
INSERT = f"""
INSERT INTO events (xid, {", ".join(_COLUMNS)})
VALUES ('0', {", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))})
ON CONFLICT DO NOTHING
"""  # noqa: S608 put together from constants


async def lock(connection: "Connection") -> bool:
    """Be the one who works on the archive, until `unlock` or the connection's end; False where another is."""
    got: bool = await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK, timeout=TIMEOUT_SECONDS)
    return got


async def lock_in_transaction(connection: "Connection", patience: str) -> None:
    """Be it until the transaction ends, once whoever works has ended. Raises LockNotAvailableError after `patience`."""
    await connection.execute("SELECT set_config('lock_timeout', $1, true)", patience)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=TIMEOUT_SECONDS * 2)


async def unlock(connection: "Connection") -> None:
    """Let others."""
    await connection.execute("SELECT pg_advisory_unlock($1)", LOCK, timeout=TIMEOUT_SECONDS)


async def bring_back(
    connection: "Connection", store: Store, recall: "Record", goes_on: Callable[[], bool]
) -> str:
    """Go on with a recall, whose lock is held; the state that it is in then: `running`, `done` or `failed`.

    Raises StoreFailed, and what the database raises: then it is gone on with later.
    """
    project_id: UUID = recall["project_id"]
    low, high = between(recall["since"], recall["until"])
    wanted = Wanted(
        low=low,
        high=high,
        uid=recall["event_uid"],
        type=recall["type"],
        source=recall["source"],
        subject=recall["subject"],
    )
    position: UUID | None = recall["position"]
    if position is not None:
        low = UUID(int=position.int + 1)
    parts = await catalog.parts_between(connection, project_id, low, high, limit=100_000)
    try:
        for part in reversed(parts):
            async for lines in forward(store, part, _after(wanted, position)):
                if lines:
                    position = lines[-1].uid
                    await _insert(connection, recall["id"], project_id, lines)
                if not goes_on():
                    return "running"
    except (Damaged, MissingObject) as error:
        await _end(connection, recall["id"], "failed", f"The archive is not whole: {error}")
        return "failed"
    await _end(connection, recall["id"], "done", None)
    return "done"


def _after(wanted: Wanted, position: UUID | None) -> Wanted:
    return wanted if position is None else replace(wanted, low=UUID(int=position.int + 1))


async def _insert(connection: "Connection", recall_id: UUID, project_id: UUID, lines: list[Line]) -> None:
    rows = [_row(project_id, line) for line in lines]
    first, last = day_of(lines[0].uid), day_of(lines[-1].uid)
    async with connection.transaction():
        day: date = first
        while day <= last:
            await connection.execute("SELECT ensure_partitions($1, $1)", day, timeout=TIMEOUT_SECONDS)
            day += timedelta(days=1)
        await connection.executemany(INSERT, rows, timeout=2 * TIMEOUT_SECONDS)
        await connection.execute(
            "UPDATE recalls SET position = $2, events = events + $3 WHERE id = $1 AND state = 'running'",
            recall_id,
            lines[-1].uid,
            len(lines),
            timeout=TIMEOUT_SECONDS,
        )


async def _end(connection: "Connection", recall_id: UUID, state: str, error: str | None) -> None:
    await connection.execute(
        "UPDATE recalls SET state = $2, error = $3, ended_at = now() WHERE id = $1 AND state = 'running'",
        recall_id,
        state,
        error,
        timeout=TIMEOUT_SECONDS,
    )


def _row(project_id: UUID, line: Line) -> tuple[Any, ...]:
    event = event_of(line)
    key = event.extensions.get("partitionkey")
    return (
        line.uid,
        project_id,
        shard_of_uid(line.uid.bytes) if key is None else shard_of_key(project_id, str(key)),
        line.kind,
        identity(project_id, event.source, event.id),
        event.id,
        event.source,
        event.type,
        event.specversion,
        event.subject,
        event.time,
        event.datacontenttype,
        event.dataschema,
        event.extensions or None,
        event.data,
        line.producer,
        line.facets,
        line.schema_fault,
    )
