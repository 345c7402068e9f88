"""Archived events put straight into the archive, for tests of what reads it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.archive import catalog
from shared.archive.lines import write_line
from shared.archive.manifest import Manifest, manifest_key, part_key, write_manifest
from shared.archive.opening import open_store
from shared.archive.parts import PartWriter
from shared.archive.wanted import day_of, received_at, written
from shared.core.cloudevents import Event
from shared.core.ids import floor


async def archive(pool: asyncpg.Pool, project_id: UUID, events: Sequence[Event], at: datetime) -> list[UUID]:
    """Have `events` in the archive that `WEIR_ARCHIVE_URL` names, received from `at` on, all on one day."""
    uids = [
        UUID(int=floor(int(at.timestamp() * 1000) + n).int | 0x7 << 76 | 0x2 << 62 | n)
        for n in range(len(events))
    ]
    day, store, writer = day_of(uids[0]), open_store(), PartWriter()
    for uid, event in zip(uids, events, strict=True):
        text = write_line(_row(uid, event), written(received_at(uid)), [])
        writer.add(uid, text, event_type=event.type, event_id=event.id, subject=event.subject)
    part, content = writer.end(1, part_key(project_id, day, "test", 1))
    await store.put(part.key, content)
    await _seal(
        pool,
        project_id,
        day,
        Manifest(
            project_id=project_id,
            project="test",
            day=day,
            parts=[part],
            events=part.events,
            packed_bytes=part.packed_bytes,
            raw_bytes=part.raw_bytes,
            sealed_at=datetime.now(UTC),
        ),
    )
    return uids


async def _seal(pool: asyncpg.Pool, project_id: UUID, day: date, manifest: Manifest) -> None:
    content, digest = write_manifest(manifest)
    await open_store().put(manifest_key(project_id, day), content)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO archives (project_id, day, run, sealed_at, removed_at) VALUES ($1, $2, 'test', now(), now())",
            project_id,
            day,
        )
        await catalog.replace_parts(connection, project_id, day, manifest.parts, digest)


def _row(uid: UUID, event: Event) -> dict[str, Any]:
    return {
        "uid": uid,
        "data_kind": int(event.data_kind),
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "specversion": event.specversion,
        "subject": event.subject,
        "time": event.time,
        "datacontenttype": event.datacontenttype,
        "dataschema": event.dataschema,
        "extensions": event.extensions or None,
        "data": event.data,
        "producer": "key:test",
        "facets": None,
        "schema_fault": None,
    }
