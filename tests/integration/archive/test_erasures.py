"""What there is of a subject goes: its rows, and the objects of the archive that have it."""

import itertools
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from events.housekeep.archive import work
from events.housekeep.handler import create
from shared.archive import catalog
from shared.archive.folder import FolderStore
from shared.archive.reading import fault_of, find
from shared.archive.zstd import decompress
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream


async def erase(keeping: Keeping, subject: str) -> UUID:
    erasure_id = uuid4()
    await keeping.pool.execute(
        "INSERT INTO erasures (id, project_id, subject, subject_digest, created_by) VALUES ($1, $2, $3, '\\x00', 't')",
        erasure_id,
        keeping.project.id,
        subject,
    )
    return erasure_id


async def said(keeping: Keeping, erasure_id: UUID) -> dict[str, Any]:
    return dict(await keeping.pool.fetchrow("SELECT * FROM erasures WHERE id = $1", erasure_id))


def bytes_of(keeping: Keeping) -> bytes:
    """All that is in the archive, as anybody could read it."""
    found = b""
    for path in sorted(keeping.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += decompress(content) if path.suffix == ".zst" else content
    return found


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
    keeping.handler = create(resources)
    for _ in range(6):
        await keeping.tick()
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
