"""Bringing the counts of a project up to its rows.

What was received a moment ago is counted again each time. What was added or changed later than that has its minute
marked by a trigger (migration 0016), and is counted again by the marks, the newest first. Each step is a transaction
of its own, so whoever reads finds minutes and hours that fit each other, and a process that dies leaves nothing half.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from shared.rollups import queries
from shared.rollups.queries import HOUR, MINUTE

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

    from shared.db.project_pool import ProjectPool

SLACK = timedelta(seconds=60)
"""How long before the last count it is counted again: writers leave the last half minute unmarked, and may take as
long again to commit."""

CHUNK = 60
"""Minutes that are counted in one transaction."""

MINUTES_KEPT = timedelta(days=14)
HOURS_KEPT = timedelta(days=400)

ALL_THERE = timedelta(days=2)
"""For so long all rows are sure to be there. Later some may be archived or erased, or only some brought back: what was
counted of those minutes stays as what once was."""

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


async def refresh(pool: "Pool | ProjectPool", project_id: UUID, *, budget_seconds: float = 5.0) -> bool:
    """Count what is new, then marked minutes for at most `budget_seconds`; False where somebody else is at it."""
    until = monotonic() + budget_seconds
    if not await _newest(pool, project_id):
        return False
    while await _marked(pool, project_id) and monotonic() < until:
        pass
    return True


async def _newest(pool: "Pool | ProjectPool", project_id: UUID) -> bool:
    started = monotonic()
    async with pool.acquire() as conn, conn.transaction():
        if not await queries.lock(conn, project_id):
            return False
        now: datetime = await conn.fetchval("SELECT now()")
        state = await queries.state(conn, project_id)
        since = _EARLIEST if state is None else minute_of(state["rolled_at"] - SLACK)
        # A little into the future: the clocks of those who receive may be ahead.
        minutes = await queries.busy_minutes(conn, project_id, since, minute_of(now + 2 * SLACK))
        now_due = [minute for minute in minutes[-CHUNK:] if minute >= hour_of(now - MINUTES_KEPT)]
        later = minutes[: len(minutes) - len(now_due)]
        counted = await queries.count(conn, project_id, MINUTE, now_due)
        if later:
            await queries.mark(conn, project_id, later)
        if now_due:
            await queries.put(conn, project_id, MINUTE, now_due, counted)
        await queries.sample_backlog(conn, project_id, minute_of(now))
        between = () if state is None else hours_between(since, now)
        await _roll(conn, project_id, {*map(hour_of, now_due), *between}, now)
        if state is None or hour_of(state["rolled_at"]) != hour_of(now):
            await queries.forget(conn, project_id, MINUTE, hour_of(now - MINUTES_KEPT))
            await queries.forget(conn, project_id, HOUR, hour_of(now - HOURS_KEPT))
        await queries.note(conn, project_id, now, round((monotonic() - started) * 1000))
    return True


async def _marked(pool: "Pool | ProjectPool", project_id: UUID) -> bool:
    """Count some of the marked minutes; whether there may be more."""
    async with pool.acquire() as conn, conn.transaction():
        if not await queries.lock(conn, project_id):
            return False
        marks = await queries.marks(conn, project_id, CHUNK)
        if not marks:
            return False
        minutes = sorted(set(marks.values()), reverse=True)
        now: datetime = await conn.fetchval("SELECT now()")
        kept, sure = hour_of(now - MINUTES_KEPT), now - ALL_THERE
        recent = [minute for minute in minutes if minute >= sure]
        later = await queries.whole(
            conn, project_id, MINUTE, [minute for minute in minutes if kept <= minute < sure]
        )
        # Of hours whose minutes are not kept any more the rows themselves are counted.
        hours = sorted({hour_of(minute) for minute in minutes if minute < kept})
        old = await queries.whole(conn, project_id, HOUR, hours)
        starts = [*recent, *later]
        of_minutes = await queries.count(conn, project_id, MINUTE, starts)
        of_hours = await queries.count(conn, project_id, HOUR, old)
        # What is written from here on holds up others for a moment, not for as long as it takes to count.
        await queries.unmark(conn, project_id, marks)
        if starts:
            await queries.put(conn, project_id, MINUTE, starts, of_minutes)
            await _roll(conn, project_id, map(hour_of, starts), now)
        if old:
            await queries.put(conn, project_id, HOUR, old, of_hours)
    return len(minutes) == CHUNK


async def _roll(conn: "Connection", project_id: UUID, hours: Iterable[datetime], now: datetime) -> None:
    """Add up those of `hours` that have ended, and whose minutes are all there."""
    kept = hour_of(now - MINUTES_KEPT)
    ended = sorted({hour for hour in hours if kept <= hour and hour + timedelta(seconds=HOUR) <= now})
    if ended:
        await queries.roll_hours(conn, project_id, ended)


def minute_of(moment: datetime) -> datetime:
    """When the minute of `moment` began."""
    return moment.replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    """When the hour of `moment` began, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours_between(since: datetime, until: datetime) -> list[datetime]:
    """The hours from that of `since` to that of `until`."""
    first = hour_of(since)
    count = (hour_of(until) - first) // timedelta(hours=1) + 1
    return [first + timedelta(hours=number) for number in range(count)]
