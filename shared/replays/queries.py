"""The statements that find what a replay is about."""

# ruff: noqa: S608 statements are put together from constants and from `selection`'s conditions

from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from shared.replays.selection import Conditions, Selection, deliveries_where, events_where, needs_events

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

Needs = Literal["keys", "attributes", "data"]
"""How much of its event a row has."""

PAGE_BYTES = 8 * 1024 * 1024
"""A page with data ends with the event whose data reaches this."""

KEYS = "e.uid, e.shard, e.xid AS position, e.extensions->>'partitionkey' AS partition_key"
ATTRIBUTES = f"""{KEYS}, e.id, e.source, e.type, e.specversion, e.subject, e.time, e.datacontenttype,
    e.dataschema, e.extensions"""
COLUMNS: dict[Needs, str] = {
    "keys": KEYS,
    "attributes": f"{ATTRIBUTES}, NULL::bytea AS data, 0 AS data_kind",
    "data": f"{ATTRIBUTES}, e.data, e.data_kind",
}
EVENT = "JOIN LATERAL (SELECT * FROM events WHERE uid = d.event_uid OFFSET 0) e ON true"
"""One by one: with many rows the planner would rather read every event there is."""

OWN_EVENT = "JOIN own_events e ON e.uid = d.event_uid"

# It was sent, and nobody knows what became of it: the words of `shared.http` for that.
DUPLICATE = """(d.status = 'delivered' OR (d.last_status_code IS NULL AND (
    d.last_error LIKE 'no answer%' OR d.last_error LIKE 'the connection was %' OR d.last_error LIKE 'the answer%')))"""


async def deliveries(
    on: "Connection | Pool",
    selection: Selection,
    low: UUID,
    high: UUID,
    frozen_at: datetime,
    *,
    needs: Needs,
    limit: int,
) -> "list[Record]":
    """Deliveries in the order of their ids, which are `cursor` too."""
    where = deliveries_where(selection, low, high, frozen_at, Conditions())
    events, columns = "", ""
    if needs != "keys" or needs_events(selection):
        events, columns = EVENT, f", {COLUMNS[needs]}"
    return await _page(
        on,
        f"""
        SELECT d.id AS cursor, d.subscription_id, d.order_key, {DUPLICATE} AS is_duplicate {columns}
        FROM deliveries d {events} WHERE {where.text} ORDER BY d.id LIMIT {where.parameter(limit)}
        """,
        where,
        needs,
    )


async def events(
    on: "Connection | Pool",
    selection: Selection,
    low: UUID,
    high: UUID,
    frozen_at: datetime,
    *,
    needs: Needs,
    limit: int,
) -> "list[Record]":
    """Events in the order of their uids; those of deliveries in that of the ids of these, as often as they have some."""
    if selection.is_of_deliveries:
        where = deliveries_where(selection, low, high, frozen_at, Conditions())
        source = f"SELECT d.id AS cursor, {COLUMNS[needs]} FROM deliveries d {EVENT} WHERE {where.text} ORDER BY d.id"
    else:
        where = events_where(selection, low, high, Conditions())
        source = f"SELECT e.uid AS cursor, {COLUMNS[needs]} FROM events e WHERE {where.text} ORDER BY e.uid"
    return await _page(on, f"{source} LIMIT {where.parameter(limit)}", where, needs)


async def count_deliveries(
    conn: "Connection", selection: Selection, low: UUID, high: UUID, frozen_at: datetime
) -> "list[Record]":
    """By `subscription_id`: how many there are (`count`), and how many of them may come twice (`duplicates`)."""
    where = deliveries_where(selection, low, high, frozen_at, Conditions())
    own = OWN_EVENT if needs_events(selection) else ""
    return list(
        await conn.fetch(
            f"""
            SELECT d.subscription_id, count(*) AS count, count(*) FILTER (WHERE {DUPLICATE}) AS duplicates
            FROM deliveries d {own} WHERE {where.text} GROUP BY d.subscription_id
            """,
            *where.values,
        )
    )


async def count_events(
    conn: "Connection", selection: Selection, low: UUID, high: UUID, frozen_at: datetime
) -> int:
    """How many events there are."""
    if selection.is_of_deliveries:
        where = deliveries_where(selection, low, high, frozen_at, Conditions())
        own = OWN_EVENT if needs_events(selection) else ""
        statement = f"SELECT count(DISTINCT d.event_uid) FROM deliveries d {own} WHERE {where.text}"
    else:
        where = events_where(selection, low, high, Conditions())
        # By the view where a type is asked for: behind row-level security the index of an expression serves nobody.
        statement = f"SELECT count(*) FROM own_events e WHERE {where.text}"
    count: int = await conn.fetchval(statement, *where.values)
    return count


async def count_delivered(
    conn: "Connection",
    project_id: UUID,
    subscription_id: UUID,
    low: UUID,
    high: UUID,
    *,
    uids: list[UUID] | None = None,
) -> int:
    """How many events of a range of keys, or of these, that subscription has got."""
    count: int = await conn.fetchval(
        """
        SELECT count(DISTINCT event_uid) FROM deliveries
        WHERE project_id = $1 AND subscription_id = $2 AND id >= $3 AND id < $4 AND status = 'delivered'
          AND ($5::uuid[] IS NULL OR event_uid = ANY($5))
        """,
        project_id,
        subscription_id,
        low,
        high,
        uids,
    )
    return count


async def _page(on: "Connection | Pool", statement: str, where: Conditions, needs: Needs) -> "list[Record]":
    if needs == "data":
        # The length of what is stored elsewhere is known without fetching it.
        size = "coalesce(octet_length(data), 0)"
        statement = f"""
            SELECT * FROM (
                SELECT p.*, sum({size}) OVER (ORDER BY cursor ROWS UNBOUNDED PRECEDING) - {size} AS bytes_before
                FROM ({statement}) p
            ) page WHERE bytes_before < {where.parameter(PAGE_BYTES)} ORDER BY cursor
            """
    return list(await on.fetch(statement, *where.values))
