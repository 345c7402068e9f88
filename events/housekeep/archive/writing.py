"""Writing a day of a project to the archive: object after object, each noted once it was read back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from events.housekeep.archive import queries
from shared.archive import catalog
from shared.archive.lines import write_line
from shared.archive.manifest import Manifest, folder_of, manifest_key, part_key, write_manifest
from shared.archive.parts import Part, PartWriter
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.archive.wanted import keys_of, received_at, written
from shared.core.ids import floor, timestamp_ms

ROWS = 2_000
ROW_BYTES = 8 * 1024 * 1024
"""How much of a day is read at once."""


async def archive_day(
    connection: asyncpg.Connection,
    store: Store,
    project: asyncpg.Record,
    day: date,
    goes_on: Callable[[], bool],
) -> bool:
    """Bring a day to the archive, going on where it was left off; whether all of it is there.

    What is not whole when `goes_on` says no is gone on with by the next call. Raises StoreFailed, MissingObject.
    """
    found = await catalog.day(connection, project["id"], day)
    if found is not None and found["sealed_at"] is not None:
        return True
    if found is None:
        await queries.start(connection, project["id"], day, uuid4().hex[:12])
        found = await catalog.day(connection, project["id"], day)
        assert found is not None
    parts = await catalog.parts_of_day(connection, project["id"], day)
    low, high = keys_of(day)
    after = parts[-1].last_uid if parts else UUID(int=low.int - 1)
    while True:
        writer = PartWriter()
        while not writer.is_full:
            rows = await queries.rows(
                connection, project["id"], after, high, limit=ROWS, byte_limit=ROW_BYTES
            )
            if not rows:
                break
            await _add(connection, writer, project["id"], rows)
            after = rows[-1]["uid"]
            if not goes_on() and not writer.is_empty:
                break
        if writer.is_empty:
            break
        key = part_key(project["id"], day, found["run"], len(parts) + 1)
        part, content = await asyncio.to_thread(writer.end, len(parts) + 1, key)
        await put(store, key, content)
        async with connection.transaction():
            await catalog.add_part(connection, project["id"], day, part)
        parts.append(part)
        if not goes_on():
            return False
    if await queries.count(connection, project["id"], low, high) != sum(part.events for part in parts):
        # Something came into the day, or left it, meanwhile.
        await queries.start(connection, project["id"], day, uuid4().hex[:12])
        return False
    await seal(connection, store, project, day, parts)
    return True


async def seal(
    connection: asyncpg.Connection,
    store: Store,
    project: asyncpg.Record,
    day: date,
    parts: list[Part],
    *,
    also: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Have a day of the archive consist of these objects, which are there, and of no others.

    `also` is done in the transaction that says so.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    manifest = Manifest(
        project_id=project["id"],
        project=project["name"],
        day=day,
        parts=parts,
        events=sum(part.events for part in parts),
        packed_bytes=sum(part.packed_bytes for part in parts),
        raw_bytes=sum(part.raw_bytes for part in parts),
        sealed_at=now,
    )
    content, digest = write_manifest(manifest)
    await put(store, manifest_key(project["id"], day), content)
    async with connection.transaction():
        await catalog.replace_parts(connection, project["id"], day, parts, digest)
        await queries.seal(connection, project["id"], day, now)
        if also is not None:
            await also()
    await sweep(store, project["id"], day, parts)


async def sweep(store: Store, project_id: UUID, day: date, parts: list[Part]) -> None:
    """Delete what is in a day's folder beside its objects and manifest: what runs before left, what was replaced."""
    there = {part.key for part in parts} | {manifest_key(project_id, day)}
    await store.delete([key for key in await store.keys(folder_of(project_id, day)) if key not in there])


async def put(store: Store, key: str, content: bytes) -> None:
    """Keep an object, and read it back: what it has is removed from the database afterwards."""
    await store.put(key, content)
    digest = sha256()
    try:
        async for piece in store.stream(key):
            digest.update(piece)
    except MissingObject as error:
        raise StoreFailed(f"{key}: what was written there is not there") from error
    if digest.digest() != sha256(content).digest():
        raise StoreFailed(f"{key}: what can be read there is not what was written")


async def _add(
    connection: asyncpg.Connection, writer: PartWriter, project_id: UUID, rows: list[asyncpg.Record]
) -> None:
    uids = [row["uid"] for row in rows]
    low, high = floor(timestamp_ms(uids[0])), floor(timestamp_ms(uids[-1]) + 1)
    became: dict[UUID, list[dict[str, Any]]] = {}
    for row in await queries.deliveries(connection, project_id, low, high, uids):
        became.setdefault(row["event_uid"], []).append(_delivery(row))
    await asyncio.to_thread(_write, writer, rows, became)


def _write(writer: PartWriter, rows: list[asyncpg.Record], became: dict[UUID, list[dict[str, Any]]]) -> None:
    for row in rows:
        uid = row["uid"]
        line = write_line(row, written(received_at(uid)), became.get(uid, ()))
        writer.add(uid, line, event_type=row["type"], event_id=row["id"], subject=row["subject"])


def _delivery(row: asyncpg.Record) -> dict[str, Any]:
    """What became of an event at one subscription, as the archive has it."""
    return {
        "id": str(row["id"]),
        "subscription": str(row["subscription_id"]),
        "subscriptionName": row["name"] or "",
        "status": row["status"],
        "attemptCount": row["attempt_count"],
        "lastStatusCode": row["last_status_code"],
        "lastError": row["last_error"],
        "endedAt": None if row["ended_at"] is None else written(row["ended_at"]),
    }
