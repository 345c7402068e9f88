"""Finding deliveries: by the indexes of their state and subscription, and by looking at a bounded number of rows."""

# ruff: noqa: S608 statements are put together from constants of this folder alone

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from functions.explore import conditions, finding, queries, statements
from functions.explore.conditions import Values
from functions.explore.finding import Found
from functions.explore.search import OfDeliveries, Search, around
from functions.explore.statements import DELIVERY, VERSION, Statement

if TYPE_CHECKING:
    from asyncpg import Connection

_TEXT = """(
    strpos(lower(coalesce(d.last_error, '')), {0}) > 0
    OR EXISTS (
        SELECT FROM subscription_versions v
        WHERE v.subscription_id = d.subscription_id AND v.version = d.subscription_version
          AND (strpos(lower(v.name), {0}) > 0 OR strpos(lower(v.sink), {0}) > 0))
    OR EXISTS (
        SELECT FROM events e
        WHERE e.project_id = {1} AND e.uid = d.event_uid
          AND (strpos(lower(e.type), {0}) > 0 OR strpos(lower(coalesce(e.subject, '')), {0}) > 0))
)"""


async def find(
    conn: "Connection", search: Search, status: str | None, limit: int, *, seconds: float | None = None
) -> Found:
    """The ids of up to `limit` deliveries, the newest event's first; ends early when there was too much to look at."""
    until = monotonic() + (finding.WINDOW_SECONDS if seconds is None else seconds)
    if (events := leading_events(search, status)) is not None:
        return await _by_events(conn, search, events, status, limit=limit, until=until)
    return await _scan(conn, search, status, limit, until)


def leading_events(search: Search, status: str | None) -> Search | None:
    """The search for their events, where an index leads to those and none to the deliveries themselves."""
    asked = search.deliveries
    if search.event is not None or asked.replay is not None or asked.subscriptions:
        return None
    if status in statements.UNDER_WAY:
        return None
    events = replace(search, text=None, deliveries=OfDeliveries())
    return events if events.identity is not None or finding.lookup_of(events) is not None else None


async def _by_events(
    conn: "Connection", search: Search, events: Search, status: str | None, *, limit: int, until: float
) -> Found:
    """Look at the deliveries of those events alone that are like that.

    They come by whole milliseconds, because the ids of an event's deliveries share nothing but that with its uid.
    """
    ids: list[UUID] = []
    count = 0
    events = replace(events, high=around(search.high)[1])
    while not events.is_empty:
        found = await finding.find(conn, events, finding.FIRST_STEP)
        uids, bottom = found.uids, events.low
        if found.after is not None:
            low, bottom = around(found.after)
            uids = [uid for uid in uids if uid >= bottom]
            if bottom >= events.high:
                rest = replace(events, low=max(events.low, low))
                uids, bottom = (await finding.find(conn, rest, finding.WINDOW)).uids, rest.low
        if uids:
            statement = of_events(search, status, uids)
            ids += [row["id"] for row in await queries.fetch(conn, statement)]
        if len(ids) > limit:
            return Found(ids[:limit], ids[limit - 1])
        count += found.looked or len(uids)
        events = replace(events, high=bottom)
        if not events.is_empty and (count >= finding.WINDOW or monotonic() >= until):
            return Found(ids, bottom, count, bottom)
    return Found(ids, None)


async def _scan(conn: "Connection", search: Search, status: str | None, limit: int, until: float) -> Found:
    """Look at one delivery after the other, the newest event's first."""
    ids: list[UUID] = []
    count, last = 0, None
    size = limit + 1 if is_whole(search) else max(limit + 1, finding.FIRST_STEP)
    while True:
        rows = await queries.fetch(conn, step(search.before(last), status, size))
        more = len(rows) == size
        for row in rows:
            count, last = count + 1, row["id"]
            if row["found"]:
                ids.append(row["id"])
                if len(ids) == limit:
                    more = more or last != rows[-1]["id"]
                    break
        if not more or len(ids) == limit or count >= finding.WINDOW or monotonic() >= until:
            break
        size = min(size * 4, finding.WINDOW_STEP, finding.WINDOW - count)
    after = last if more else None
    return Found(ids, after) if is_whole(search) else Found(ids, after, count, last)


def is_whole(search: Search) -> bool:
    """Whether an index alone answers: nothing has to be looked at in each row."""
    asked = search.deliveries
    several = len(asked.subscriptions) > 1
    rest = replace(asked, subscriptions=(), replay=None)
    return not (several or rest.is_asked or search.asks_of_events or search.text is not None)


def step(search: Search, status: str | None, limit: int) -> Statement:
    """Which of the newest `limit` deliveries are looked for: `id`, `found`, newest event first.

    `status` is one of the five and stands in the text: a partial index serves it only so.
    """
    values = Values()
    project, place = values.add(search.project_id), values.add(limit)
    among = [
        f"d.project_id = {project}",
        f"d.id >= {values.add(search.low)}",
        f"d.id < {values.add(search.high)}",
    ]
    asked = search.deliveries
    if search.event is not None:
        among.append(f"d.event_uid = {values.add(search.event)}")
    if len(asked.subscriptions) == 1:
        among.append(f"d.subscription_id = {values.add(asked.subscriptions[0])}")
        asked = replace(asked, subscriptions=())
    if asked.replay is not None:
        among.append(f"d.replay_id = {values.add(asked.replay)}")
        asked = replace(asked, replay=None)
    if status is not None:
        assert status.isalpha()
        among.append(f"d.status = '{status}'")
    judged = _judged(search, asked, values, project)
    if search.asks_of_events:
        of_event = [
            f"e.project_id = {project}",
            "e.uid = d.event_uid",
            *conditions.attributes(search, values),
        ]
        judged.append(f"EXISTS (SELECT FROM events e WHERE {' AND '.join(of_event)})")
    return (
        f"""
        SELECT d.id, coalesce({" AND ".join(judged) or "true"}, false) AS found FROM (
            SELECT * FROM deliveries d WHERE {" AND ".join(among)} ORDER BY d.id DESC LIMIT {place}
        ) d ORDER BY d.id DESC
        """,
        values.given,
    )


def of_events(search: Search, status: str | None, uids: Sequence[UUID]) -> Statement:
    """Which deliveries of these events are looked for, newest event first: `id`."""
    values = Values()
    project = values.add(search.project_id)
    judged = [
        conditions.OF_EVENT.format(project=project),
        f"d.id < {values.add(search.high)}",
        *_judged(search, search.deliveries, values, project),
    ]
    if status is not None:
        judged.append(f"d.status = {values.add(status)}")
    return (
        f"""
        SELECT d.id FROM unnest({values.add(list(uids))}::uuid[]) AS e (uid) CROSS JOIN LATERAL (
            SELECT d.id FROM deliveries d WHERE {" AND ".join(judged)} OFFSET 0
        ) d ORDER BY d.id DESC
        """,
        values.given,
    )


def _judged(search: Search, asked: OfDeliveries, values: Values, project: str) -> list[str]:
    """What has to be looked at in each delivery `d`."""
    judged = conditions.of_deliveries(asked, values)
    if search.text is not None:
        judged.append(_TEXT.format(values.add(search.text.lower()), project))
    return judged


def rows(project_id: UUID, ids: Sequence[UUID]) -> Statement:
    """These deliveries as a list shows them, newest event first."""
    return (
        f"""
        SELECT {DELIVERY}, e.type AS event_type, e.subject AS event_subject
        FROM (SELECT * FROM deliveries d WHERE d.project_id = $1 AND d.id = ANY($2::uuid[])) d
        {VERSION}
        LEFT JOIN LATERAL (
            SELECT type, subject FROM events WHERE uid = d.event_uid AND project_id = $1 OFFSET 0
        ) e ON true
        ORDER BY d.id DESC
        """,
        [project_id, ids],
    )
