"""Few rows are stored by INSERT, many by COPY; both keep each identity once, around midnight too."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.core import ids
from shared.core.cloudevents import Event
from shared.core.ids import timestamp_ms
from shared.intake import queries
from shared.intake.rows import Stored, Waiting
from shared.intake.storing import COPY_FROM, DAY_MS, MIDNIGHT_MS, Storage, now_ms
from tests.support.projects import Project
from tests.support.waiting import until, waits_for_lock

SIZES = pytest.mark.parametrize("size", [3, COPY_FROM + 20], ids=["insert", "copy"])


def event(identity: str | None = None, **fields: object) -> Event:
    return Event("1.0", identity or uuid4().hex, "/tests", "t", **fields)


def waiting(project: Project, *events: Event) -> Waiting:
    return Waiting(project.id, "test", events, (), 0, asyncio.get_running_loop().create_future())


@pytest.fixture
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    async with pool.acquire() as held:
        yield held


@SIZES
async def test_uids_are_in_the_order_in_which_the_events_came(
    connection: asyncpg.Connection, project: Project, size: int
) -> None:
    ((stored,), _) = await Storage().store(connection, [waiting(project, *(event() for _ in range(size)))])
    uids = [one.uid for one in stored]
    assert uids == sorted(set(uids))


@SIZES
async def test_what_is_stored_is_what_came(
    connection: asyncpg.Connection, project: Project, size: int
) -> None:
    events = [
        event(
            subject="ü",
            extensions={"n": -5, "yes": True, "no": False, "text": 'a"\\b', "partitionkey": str(n)},
            data=b"\x00\xff",
        )
        for n in range(size)
    ]
    ((stored,), shards) = await Storage().store(connection, [waiting(project, *events)])
    rows = await connection.fetch("SELECT * FROM events WHERE project_id = $1 ORDER BY uid", project.id)
    assert [row["uid"] for row in rows] == [one.uid for one in stored]
    assert {row["shard"] for row in rows} == shards
    for row, one in zip(rows, events, strict=True):
        assert row["extensions"] == one.extensions
        assert (row["id"], row["subject"], row["data"]) == (one.id, "ü", b"\x00\xff")
        assert row["facets"] is None


@SIZES
async def test_copies_within_a_group_and_from_before_are_told_apart(
    connection: asyncpg.Connection, project: Project, size: int
) -> None:
    old = [event() for _ in range(size)]
    ((first,), _) = await Storage().store(connection, [waiting(project, *old)])
    new = [event() for _ in range(size)]
    mixed = [one for pair in zip(old, new, strict=True) for one in pair]
    (one, other), _ = await Storage().store(
        connection, [waiting(project, *mixed), waiting(project, *new, *new)]
    )
    assert one[::2] == [Stored(stored.uid, duplicate=True) for stored in first]
    assert [stored.duplicate for stored in one[1::2]] == [False] * size
    assert other == [Stored(stored.uid, duplicate=True) for stored in one[1::2]] * 2
    assert await connection.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id) == (
        2 * size
    )


@SIZES
async def test_copies_of_yesterdays_events_are_told_apart(
    connection: asyncpg.Connection, project: Project, size: int
) -> None:
    old = [event() for _ in range(size)]
    await Storage().store(connection, [waiting(project, *old)])
    moved = "UPDATE events SET uid = (lpad(to_hex(('x' || left(replace(uid::text, '-', ''), 12))::bit(48)::bigint - $2), 12, '0') || right(replace(uid::text, '-', ''), 20))::uuid WHERE project_id = $1 RETURNING uid"
    uids = {row["uid"] for row in await connection.fetch(moved, project.id, DAY_MS)}
    mixed = [one for pair in zip(old, (event() for _ in range(size)), strict=True) for one in pair]
    ((stored,), _) = await Storage().store(connection, [waiting(project, *mixed)])
    assert {one.uid for one in stored[::2]} == uids
    assert [one.duplicate for one in stored] == [True, False] * size


async def test_while_copies_come_they_are_looked_for_before(
    connection: asyncpg.Connection, project: Project
) -> None:
    storage, refused = Storage(), []
    copy = queries.copy_new

    async def counted(*arguments: Any) -> None:
        try:
            await copy(*arguments)
        except asyncpg.UniqueViolationError:
            refused.append(1)
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "copy_new", counted)
        old = [event() for _ in range(COPY_FROM)]
        for _ in range(5):
            mixed = [*old, *(event() for _ in range(COPY_FROM))]
            ((stored,), _) = await storage.store(connection, [waiting(project, *mixed)])
            assert not any(one.duplicate for one in stored[COPY_FROM:])
    assert all(one.duplicate for one in stored[:COPY_FROM])
    assert len(refused) == 1


@SIZES
async def test_racing_copies_give_one_event(pool: asyncpg.Pool, project: Project, size: int) -> None:
    for _ in range(10):
        events = [event() for _ in range(size)]

        async def run(mine: list[Event]) -> list[Stored]:
            async with pool.acquire() as connection:
                ((stored,), _) = await Storage().store(connection, [waiting(project, *mine)])
                return stored

        orders = [events, events[::-1], events[2:] + events[:2], events]
        answers = await asyncio.gather(*(run(order) for order in orders))
        uids: dict[str, set[UUID]] = {}
        for order, stored in zip(orders, answers, strict=True):
            for one, answer in zip(order, stored, strict=True):
                uids.setdefault(one.id, set()).add(answer.uid)
        assert all(len(found) == 1 for found in uids.values())
        assert sum(not one.duplicate for stored in answers for one in stored) == size


@SIZES
async def test_a_copy_on_its_way_into_yesterday_is_waited_for(
    pool: asyncpg.Pool, project: Project, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither day's index, nor a look at what is committed, would show it."""
    monkeypatch.setattr(ids, "_clock", ids._Clock())  # this process has made ids of later than that midnight
    midnight = now_ms() // DAY_MS * DAY_MS
    events = [event() for _ in range(size)]
    async with pool.acquire() as before, pool.acquire() as after:
        transaction = before.transaction()
        await transaction.start()
        ((first,), _) = await Storage(lambda: midnight - 1).store(before, [waiting(project, *events)])
        second = asyncio.ensure_future(
            Storage(lambda: midnight + 1).store(after, [waiting(project, *events)])
        )
        await until(lambda: waits_for_lock(pool, "advisory"))
        await transaction.commit()
        ((copies,), _) = await second
    assert {timestamp_ms(one.uid) for one in first} == {midnight - 1}
    assert copies == [Stored(one.uid, duplicate=True) for one in first]


@SIZES
async def test_two_who_meet_away_from_midnight_wait_for_nobody(
    pool: asyncpg.Pool, project: Project, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "_clock", ids._Clock())
    noon = now_ms() // DAY_MS * DAY_MS + MIDNIGHT_MS + 1
    async with pool.acquire() as one, pool.acquire() as other, one.transaction():
        await Storage(lambda: noon).store(one, [waiting(project, *(event() for _ in range(size)))])
        ((stored,), _) = await Storage(lambda: noon).store(
            other, [waiting(project, *(event() for _ in range(size)))]
        )
        assert not any(answer.duplicate for answer in stored)
