"""Events and deliveries put straight into the database, for tests of what reads them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from shared.core.cloudevents import DataKind, Event
from shared.core.ids import delivery_id, identity

NOBODYS = 100
"""A shard that no dispatcher works on: what these tests leave behind is delivered by none of the others'."""


def an_event(number: int = 0, **members: Any) -> Event:
    """A valid event; `data` is given as bytes of JSON unless `data_kind` says otherwise."""
    given: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/tests",
        "type": "com.example.tested",
        **members,
    }
    if given.get("data") is not None:
        given.setdefault("data_kind", DataKind.JSON)
    return Event(**given)


async def store(
    connection: asyncpg.Connection | asyncpg.Pool,
    project_id: UUID,
    events: Sequence[Event],
    *,
    at: datetime | None = None,
    step: timedelta = timedelta(milliseconds=1),
    facets: Sequence[dict[str, Any] | None] = (),
    schema_fault: str | None = None,
    producer: str = "key:test",
) -> list[UUID]:
    """Insert `events`, received from `at` (an hour ago) on, a `step` after one another. Returns their uids."""
    start = at or datetime.now(UTC) - timedelta(hours=1)
    last = start + step * len(events)
    await connection.execute("SELECT ensure_partitions($1, $2)", start.date(), last.date())
    uids = [_uid(start + step * number) for number in range(len(events))]
    await connection.executemany(
        """
        INSERT INTO events (uid, project_id, shard, data_kind, identity, id, source, type, specversion, subject,
            time, datacontenttype, dataschema, extensions, data, facets, schema_fault, producer)
        VALUES ($1, $2, 100, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """,
        [
            (
                uid,
                project_id,
                int(event.data_kind),
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
                found,
                schema_fault,
                producer,
            )
            for uid, event, found in zip(uids, events, facets or [None] * len(events), strict=True)
        ],
    )
    return uids


async def deliver(
    connection: asyncpg.Connection | asyncpg.Pool,
    project_id: UUID,
    event_uid: UUID,
    subscription_id: UUID,
    status: str = "delivered",
    **columns: Any,
) -> UUID:
    """Insert the delivery of an event to a subscription, with further `columns`. Returns its id."""
    row = {
        "id": delivery_id(event_uid, subscription_id),
        "project_id": project_id,
        "event_uid": event_uid,
        "subscription_id": subscription_id,
        "subscription_version": 1,
        "shard": NOBODYS,
        "status": status,
        **columns,
    }
    names = ", ".join(row)
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"INSERT INTO deliveries ({names}) VALUES ({places})", *row.values())
    return row["id"]


def _uid(moment: datetime) -> UUID:
    """A UUIDv7 of the test's moment. Not by `uuid7`: one of a time to come would date all that this process makes."""
    ms = int(moment.timestamp() * 1000)
    return UUID(int=(ms << 80) | (uuid4().int & ((1 << 76) - 1)) | (0x7 << 76))
