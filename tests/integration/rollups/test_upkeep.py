"""The counts are those of the rows, whatever happens to the rows and when."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.core.ids import timestamp_ms
from shared.db.project_pool import ProjectPool
from shared.rollups import queries
from shared.rollups.times import class_of
from shared.rollups.upkeep import MINUTES_KEPT, hour_of, minute_of, refresh
from shared.runtime.resources import Resources
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store

STATUSES = ("pending", "retrying", "delivered", "dead", "cancelled")
NOW = datetime.now(UTC)
HOUR_AGO = hour_of(NOW) - timedelta(minutes=30)


@pytest.fixture
async def own(resources: Resources, project: Project) -> ProjectPool:
    """As a function of the project counts: behind row-level security."""
    return await resources.of(project.id)


def uid_time(uid: UUID) -> datetime:
    return datetime.fromtimestamp(timestamp_ms(uid) / 1000, UTC)


async def counted(pool: asyncpg.Pool, project: Project, step: int = 60) -> dict[datetime, dict[str, int]]:
    """What the counts say of each minute, where all tables say the same."""
    found: dict[datetime, dict[str, int]] = {}
    rows = await pool.fetch("SELECT * FROM traffic WHERE project_id = $1 AND step = $2", project.id, step)
    for row in rows:
        sums = {name: row[name] for name in ("events", *STATUSES, "attempts", "failed_attempts")}
        if any(sums.values()):
            found[row["starts_at"]] = sums
        for table, columns in (
            ("event_counts", ("events",)),
            ("delivery_counts", (*STATUSES, "attempts", "failed_attempts")),
        ):
            summed = ", ".join(f"coalesce(sum({column}), 0)::bigint AS {column}" for column in columns)
            parts = await pool.fetchrow(
                f"SELECT {summed} FROM {table} WHERE project_id = $1 AND step = $2 AND starts_at = $3",
                project.id,
                step,
                row["starts_at"],
            )
            assert dict(parts) == {column: sums[column] for column in columns}
        assert sum(row["latency_counts"]) == row["delivered"]
    return found


async def rows_say(pool: asyncpg.Pool, project: Project) -> dict[datetime, dict[str, int]]:
    """The same, counted here from every row."""
    found: dict[datetime, Counter[str]] = {}

    def of(uid: UUID) -> Counter[str]:
        minute = minute_of(uid_time(uid))
        return found.setdefault(minute, Counter())

    for row in await pool.fetch("SELECT uid FROM events WHERE project_id = $1", project.id):
        of(row["uid"])["events"] += 1
    for row in await pool.fetch("SELECT * FROM deliveries WHERE project_id = $1", project.id):
        counts = of(row["id"])
        counts[row["status"]] += 1
        if row["first_started_at"] is not None:
            counts["attempts"] += 1
            counts["failed_attempts"] += row["first_status_code"] != 200
    for row in await pool.fetch("SELECT * FROM attempts WHERE project_id = $1", project.id):
        of(row["delivery_id"])["attempts"] += 1
        of(row["delivery_id"])["failed_attempts"] += row["status_code"] != 200
    names = ("events", *STATUSES, "attempts", "failed_attempts")
    return {minute: {name: counts[name] for name in names} for minute, counts in found.items()}


async def attempted(
    pool: asyncpg.Pool, project: Project, uid: UUID, subscription: UUID, status: str, **columns: object
) -> UUID:
    """A delivery of which there was an attempt."""
    received = uid_time(uid)
    code = 200 if status == "delivered" else 503
    return await deliver(
        pool,
        project.id,
        uid,
        subscription,
        status,
        **{
            "attempt_count": 1,
            "first_started_at": received,
            "first_duration_us": 40_000,
            "first_status_code": code,
            "ended_at": received + timedelta(milliseconds=50) if status in {"delivered", "dead"} else None,
            **columns,
        },
    )


async def test_counts_are_those_of_the_rows_whatever_happens_to_them(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    chance = random.Random(7)
    subscriptions = [uuid4() for _ in range(3)]
    ids: list[UUID] = []
    for round_ in range(4):
        start = HOUR_AGO + timedelta(minutes=chance.randrange(0, 20))
        events = [an_event(number, type=f"t.{number % 3}", source=f"/{round_}") for number in range(20)]
        uids = await store(pool, project.id, events, at=start, step=timedelta(seconds=9))
        for uid in uids:
            ids += [
                await attempted(pool, project, uid, subscription, chance.choice(STATUSES[1:4]))
                for subscription in chance.sample(subscriptions, chance.randrange(3))
            ]
        assert await refresh(own, project.id)
        changed = chance.sample(ids, 10)
        await pool.execute(
            "UPDATE deliveries SET status = $2, ended_at = now() WHERE id = ANY($1)",
            changed,
            chance.choice(("dead", "delivered", "cancelled")),
        )
        await pool.executemany(
            "INSERT INTO attempts VALUES ($1, $2, $3, now(), 9000, $4, NULL, NULL) ON CONFLICT DO NOTHING",
            [(changed[0], 2 + round_, project.id, 200), (changed[1], 2 + round_, project.id, 500)],
        )
        # What came a moment ago is counted again without a mark; the earlier minutes go by their marks. What came
        # without deliveries, and late, is not: nobody receives into the past.
        await store(pool, project.id, [an_event(99 + round_)], at=datetime.now(UTC))
        await queries.mark(pool, project.id, [minute_of(uid_time(uid)) for uid in uids])
        assert await refresh(own, project.id)
        assert await counted(pool, project) == await rows_say(pool, project)
    assert await pool.fetchval("SELECT count(*) FROM rollup_marks WHERE project_id = $1", project.id) == 0


async def test_hours_are_the_sums_of_their_minutes(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    subscription = uuid4()
    uids = await store(
        pool,
        project.id,
        [an_event(number) for number in range(40)],
        at=hour_of(NOW) - timedelta(minutes=75),
        step=timedelta(minutes=1),
    )
    for uid in uids:
        await attempted(pool, project, uid, subscription, "delivered")
    assert await refresh(own, project.id)
    hours = await counted(pool, project, 3600)
    minutes = await counted(pool, project)
    assert sum(hour["events"] for hour in hours.values()) == len(uids)
    for hour, sums in hours.items():
        within = [counts for minute, counts in minutes.items() if hour_of(minute) == hour]
        assert sums == {name: sum(counts[name] for counts in within) for name in sums}
    times = await pool.fetch("SELECT * FROM delivery_times WHERE project_id = $1 AND step = 3600", project.id)
    assert {(tuple(row["latency_classes"]), tuple(row["answer_classes"])) for row in times} == {
        ((class_of(50_000),), (class_of(40_000),))
    }


async def test_what_is_received_while_others_count_is_not_lost(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    for number in range(5):
        await asyncio.gather(
            store(pool, project.id, [an_event(number)], at=datetime.now(UTC)),
            refresh(own, project.id),
            refresh(own, project.id),
        )
    while not await refresh(own, project.id):
        pass
    assert await counted(pool, project) == await rows_say(pool, project)


async def test_a_change_that_was_not_committed_in_time_is_counted_later(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    (uid,) = await store(pool, project.id, [an_event()], at=HOUR_AGO)
    delivery = await attempted(pool, project, uid, uuid4(), "retrying")
    await refresh(own, project.id)
    async with pool.acquire() as slow, slow.transaction():
        await slow.execute("UPDATE deliveries SET status = 'dead' WHERE id = $1", delivery)
        await refresh(own, project.id)
        assert (await counted(pool, project))[HOUR_AGO]["dead"] == 0
    await refresh(own, project.id)
    assert (await counted(pool, project))[HOUR_AGO]["dead"] == 1


async def test_a_project_that_was_never_counted_is_counted_from_its_first_event_on(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    long_ago = minute_of(NOW - MINUTES_KEPT - timedelta(days=2))
    for at in (long_ago, HOUR_AGO - timedelta(days=3)):
        for uid in await store(
            pool,
            project.id,
            [an_event(number, source=str(at)) for number in range(70)],
            at=at,
            step=timedelta(minutes=1),
        ):
            await attempted(pool, project, uid, uuid4(), "dead")
    await refresh(own, project.id, budget_seconds=60)
    hours = await counted(pool, project, 3600)
    assert sum(hour["events"] for hour in hours.values()) == 140
    assert sum(hour["dead"] for hour in hours.values()) == 140
    minutes = await counted(pool, project)
    assert min(minutes) > long_ago, "minutes are kept for so long, hours for longer"
    changed = await pool.execute(
        "UPDATE deliveries SET status = 'cancelled' WHERE project_id = $1", project.id
    )
    assert changed == "UPDATE 140"
    await refresh(own, project.id, budget_seconds=60)
    hours = await counted(pool, project, 3600)
    assert sum(hour["cancelled"] for hour in hours.values()) == 140


@pytest.mark.parametrize(
    "age", [timedelta(days=5), MINUTES_KEPT + timedelta(days=5)], ids=["minutes", "hours"]
)
async def test_what_was_counted_stays_when_some_of_its_rows_are_gone(
    own: ProjectPool, pool: asyncpg.Pool, project: Project, age: timedelta
) -> None:
    """As they are once they were archived, also where one of them was brought back and is delivered again."""
    at = minute_of(NOW - age)
    uids = await store(pool, project.id, [an_event(number) for number in range(3)], at=at)
    await refresh(own, project.id)
    await pool.execute("DELETE FROM events WHERE project_id = $1 AND uid <> $2", project.id, uids[0])
    await attempted(pool, project, uids[0], uuid4(), "delivered")
    await refresh(own, project.id)
    assert [hour["events"] for hour in (await counted(pool, project, 3600)).values()] == [3]
    await pool.execute("DELETE FROM events WHERE project_id = $1", project.id)
    await queries.mark(pool, project.id, [at])
    await refresh(own, project.id)
    assert [hour["events"] for hour in (await counted(pool, project, 3600)).values()] == [3]


async def test_more_types_than_a_screen_can_show_count_together(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    events = [an_event(number, type=f"t.{number:04}") for number in range(queries.MOST_TYPES + 5)]
    await store(pool, project.id, events, at=HOUR_AGO)
    await refresh(own, project.id)
    rows = await pool.fetch(
        "SELECT type, events FROM event_counts WHERE project_id = $1 AND step = 60", project.id
    )
    assert len(rows) == queries.MOST_TYPES + 1
    assert {row["events"] for row in rows if not row["type"]} == {5}


async def test_the_backlog_of_a_minute_is_the_longest_wait(
    own: ProjectPool, pool: asyncpg.Pool, project: Project
) -> None:
    (uid,) = await store(pool, project.id, [an_event()], at=datetime.now(UTC) - timedelta(minutes=9))
    await attempted(pool, project, uid, uuid4(), "retrying")
    await refresh(own, project.id)
    sampled = await pool.fetchval(
        "SELECT max(backlog_seconds) FROM traffic WHERE project_id = $1", project.id
    )
    assert 540 <= sampled < 700


async def test_of_another_project_nothing_is_counted(
    resources: Resources, pool: asyncpg.Pool, project: Project
) -> None:
    await store(pool, project.id, [an_event()], at=HOUR_AGO)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await refresh(await resources.of(uuid4()), project.id)
    assert await counted(pool, project) == {}


async def test_counting_holds_up_nobody(own: ProjectPool, pool: asyncpg.Pool, project: Project) -> None:
    """A transaction that has written holds up the stream until it ends: counting comes before that."""
    uids = await store(pool, project.id, [an_event(number) for number in range(5)], at=HOUR_AGO)
    for uid in uids:
        await attempted(pool, project, uid, uuid4(), "delivered")
    minute = minute_of(uid_time(uids[0]))
    await queries.mark(pool, project.id, [minute])
    async with own.acquire() as conn, conn.transaction():
        assert await queries.lock(conn, project.id)
        marks = await queries.marks(conn, project.id, 10)
        counted = await queries.count(conn, project.id, 60, [minute])
        assert await conn.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
        await queries.mark(pool, project.id, [minute])
        await queries.unmark(conn, project.id, marks)
        await queries.put(conn, project.id, 60, [minute], counted)
    assert await counted_events(pool, project) == 5
    left = await pool.fetchval("SELECT count(*) FROM rollup_marks WHERE project_id = $1", project.id)
    assert left == 1, "what was marked while it was counted is counted again"


async def counted_events(pool: asyncpg.Pool, project: Project) -> int:
    found: int = await pool.fetchval(
        "SELECT sum(events)::bigint FROM traffic WHERE project_id = $1", project.id
    )
    return found
