"""What there is of a subject goes: its rows, and the objects of the archive that have it."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.dispatch.queries import add_attempts
from events.housekeep.archive import work
from events.housekeep.handler import create
from shared.archive import catalog
from shared.archive.folder import FolderStore
from shared.archive.reading import fault_of, find
from shared.archive.wanted import received_at
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day, bytes_of, erase, recall
from tests.support import stream


async def said(keeping: Keeping, erasure_id: UUID) -> dict[str, Any]:
    return dict(await keeping.pool.fetchrow("SELECT * FROM erasures WHERE id = $1", erasure_id))


async def archived(keeping: Keeping, day: date) -> list[UUID]:
    """Two of each of two subjects, in the archive."""
    events = [stream.an_event(n, subject=("mara", "jon")[n % 2], data=b'{"of": "%d"}' % n) for n in range(4)]
    uids = await keeping.store(events, day)
    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == set()
    return uids


async def test_rows_and_objects_are_forgotten_and_what_others_have_stays(keeping: Keeping) -> None:
    day = a_day()
    uids = await archived(keeping, day)
    old = keeping.files(day)
    recent = await stream.store(
        keeping.pool, keeping.project.id, [stream.an_event(9, subject="mara"), stream.an_event(10)]
    )
    await stream.deliver(keeping.pool, keeping.project.id, recent[0], uuid4(), "retrying")
    asked = await erase(keeping, "mara")
    await keeping.tick()
    await keeping.tick()

    row = await said(keeping, asked)
    assert (row["state"], row["events"], row["archived_events"], row["subject"]) == ("done", 1, 2, None)
    assert await keeping.rows() == {recent[1]}
    assert not await keeping.pool.fetchval("SELECT count(*) FROM deliveries WHERE event_uid = $1", recent[0])
    assert b"mara" not in bytes_of(keeping)
    store = FolderStore(keeping.folder)
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert [await fault_of(store, part) for part in parts] == [None]
    assert await find(store, parts, uids[0]) is None
    assert await find(store, parts, uids[1]) is not None
    assert len(keeping.files(day)) == 2
    assert keeping.files(day) != old
    entry = await keeping.pool.fetchrow(
        "SELECT action, thing_id, after FROM audit WHERE project_id = $1 AND action = 'erasure.done'",
        keeping.project.id,
    )
    assert entry["thing_id"] == str(asked)
    assert "mara" not in str(entry["after"])


async def test_a_day_that_had_nothing_else_is_no_more(keeping: Keeping) -> None:
    day = a_day()
    await keeping.store([stream.an_event(subject="mara")], day)
    await keeping.keep(7)
    await keeping.tick()
    await erase(keeping, "mara")
    await keeping.tick()
    assert keeping.files(day) == []
    assert await catalog.day(keeping.pool, keeping.project.id, day) is None


async def test_a_look_that_takes_many_ticks_comes_to_its_end(
    keeping: Keeping, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [a_day() for _ in range(4)]
    for day in days:
        await keeping.store([stream.an_event(1, subject="mara"), stream.an_event(2, subject="jon")], day)
    await keeping.keep(7)
    await keeping.tick()
    asked = await erase(keeping, "nobody")
    # Every look at the clock takes a second: a tick has time for two days.
    time = itertools.count()
    monkeypatch.setattr(work, "monotonic", lambda: next(time))
    monkeypatch.setenv("WEIR_ARCHIVE_SECONDS", "3")
    looked = []
    for _ in range(6):
        keeping.handler = create(resources)  # as each process does that starts anew
        await keeping.tick()
        looked.append(
            await keeping.pool.fetchval("SELECT count(*) FROM erasure_days WHERE erasure_id = $1", asked)
        )
    assert looked[0] > 0
    assert looked[:2] == sorted(looked[:2])
    assert (await said(keeping, asked))["state"] == "done"


async def test_a_hold_comes_first(keeping: Keeping) -> None:
    day = a_day()
    uids = await archived(keeping, day)
    hold = uuid4()
    await keeping.pool.execute(
        "INSERT INTO holds (id, project_id, name, subject, created_by) VALUES ($1, $2, 'a case', 'mara', 'test')",
        hold,
        keeping.project.id,
    )
    asked = await erase(keeping, "mara")
    await keeping.tick()
    row = await said(keeping, asked)
    assert (row["state"], row["held"], row["archived_events"]) == ("held", 2, 0)
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert await find(FolderStore(keeping.folder), parts, uids[0]) is not None
    await keeping.pool.execute("UPDATE holds SET lifted_at = now() WHERE id = $1", hold)
    await keeping.tick()
    assert (await said(keeping, asked))["state"] == "done"
    assert b"mara" not in bytes_of(keeping)


async def test_what_is_held_is_counted_exactly_and_looked_at_again_when_holds_change(
    keeping: Keeping, resources: Resources
) -> None:
    day = a_day()
    uids = await archived(keeping, day)
    recent = await stream.store(
        keeping.pool, keeping.project.id, [stream.an_event(n, subject="mara") for n in (10, 11, 12)]
    )
    put = "INSERT INTO holds (id, project_id, name, since, until, created_by) VALUES ($1, $2, 'a case', $3, $4, 'test')"
    holds = [uuid4(), uuid4()]
    for hold, uid, events in ((holds[0], uids[0], 1), (holds[1], recent[1], 2)):
        at = received_at(uid)
        await keeping.pool.execute(put, hold, keeping.project.id, at, at + timedelta(milliseconds=events))
    # One of the archive's is in the database too: it is one.
    await recall(keeping, day, event_uid=uids[0])
    await keeping.tick()
    assert uids[0] in await keeping.rows()
    await keeping.pool.execute("UPDATE events SET shard = 100 WHERE uid = $1", uids[0])
    asked = await erase(keeping, "mara")
    for _ in range(2):
        keeping.handler = create(resources)
        await keeping.tick()
    row = await said(keeping, asked)
    assert (row["state"], row["held"], row["events"], row["archived_events"]) == ("held", 3, 1, 1)
    await keeping.pool.execute("UPDATE holds SET lifted_at = now() WHERE id = $1", holds[0])
    await keeping.tick()
    await keeping.tick()
    row = await said(keeping, asked)
    assert (row["state"], row["held"], row["archived_events"]) == ("held", 2, 2)
    await keeping.pool.execute("UPDATE holds SET lifted_at = now() WHERE id = $1", holds[1])
    await keeping.tick()
    await keeping.tick()
    row = await said(keeping, asked)
    assert (row["state"], row["held"], row["events"]) == ("done", 0, 4)


async def test_what_came_of_an_attempt_is_not_written_of_a_delivery_that_is_gone(keeping: Keeping) -> None:
    delivery, at = uuid4(), datetime.now(UTC)
    async with keeping.pool.acquire() as connection:
        await add_attempts(
            connection, [(delivery, 2, keeping.project.id, at, 1, 500, "mara", '{"response": "mara"}')]
        )
    assert not await keeping.pool.fetchval("SELECT count(*) FROM attempts WHERE delivery_id = $1", delivery)


async def test_what_comes_after_the_request_is_not_meant(keeping: Keeping) -> None:
    asked = await erase(keeping, "mara")
    await keeping.pool.execute(
        "UPDATE erasures SET created_at = now() - interval '2 hours' WHERE id = $1", asked
    )
    (uid,) = await stream.store(keeping.pool, keeping.project.id, [stream.an_event(subject="mara")])
    await keeping.tick()
    assert (await said(keeping, asked))["state"] == "done"
    assert await keeping.rows() == {uid}


async def test_one_that_cannot_go_on_holds_up_no_others(keeping: Keeping) -> None:
    day = a_day()
    await archived(keeping, day)
    (part,) = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    (keeping.folder / part.key).unlink()
    later = day + timedelta(days=200)
    await keeping.store([stream.an_event(subject="mara")], later)
    await keeping.tick()
    assert len(keeping.files(later)) == 2
    asked = await erase(keeping, "mara")
    other = a_day()
    await keeping.store([stream.an_event()], other)
    await keeping.tick()
    assert (await said(keeping, asked))["state"] == "running"
    # What can be read of the same subject is forgotten.
    assert keeping.files(later) == []
    assert len(keeping.files(other)) == 2
    await keeping.pool.execute("DELETE FROM erasures WHERE id = $1", asked)
