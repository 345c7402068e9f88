"""What is over goes to the archive, whole, and then leaves the database."""

import hashlib
from uuid import uuid4

import asyncpg
import pytest

from shared.archive import catalog
from shared.archive.folder import FolderStore
from shared.archive.lines import event_of
from shared.archive.manifest import manifest_key, read_manifest
from shared.archive.reading import fault_of, find
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream
from tests.support.projects import create_project


async def test_a_day_is_archived_and_its_partitions_are_dropped(keeping: Keeping) -> None:
    day = a_day()
    uids = await keeping.store(
        [stream.an_event(n, data=b'{"n": %d}' % n, subject="s") for n in range(30)], day
    )
    delivery = await stream.deliver(keeping.pool, keeping.project.id, uids[3], uuid4(), last_status_code=200)
    await keeping.keep(30)
    await keeping.tick()

    assert await keeping.rows() == set()
    assert not await keeping.has_partition(day)
    said = await catalog.day(keeping.pool, keeping.project.id, day)
    assert said is not None
    assert said["events"] == 30
    assert said["sealed_at"] <= said["removed_at"]
    store = FolderStore(keeping.folder)
    content = await store.get(manifest_key(keeping.project.id, day))
    assert hashlib.sha256(content).digest() == said["manifest_sha256"]
    manifest = read_manifest(content)
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert manifest.parts == parts
    assert [await fault_of(store, part) for part in parts] == [None]
    line = await find(store, parts, uids[3])
    assert line is not None
    assert (event_of(line).data, event_of(line).subject) == (b'{"n": 3}', "s")
    (became,) = line.deliveries
    assert (became["id"], became["status"], became["lastStatusCode"]) == (str(delivery), "delivered", 200)


async def test_what_others_keep_stays_where_one_project_is_over(
    keeping: Keeping, resources: Resources
) -> None:
    day = a_day()
    other = await create_project(keeping.pool, resources.settings)
    (mine,) = await keeping.store([stream.an_event(1)], day)
    kept = await stream.store(keeping.pool, other.id, [stream.an_event(1)], at=_noon(day))
    await stream.deliver(keeping.pool, keeping.project.id, mine, uuid4())
    theirs = await stream.deliver(keeping.pool, other.id, kept[0], uuid4())
    await keeping.keep(7)
    await keeping.tick()

    assert await keeping.rows() == set()
    assert await keeping.has_partition(day)
    left = await keeping.pool.fetch("SELECT id FROM deliveries WHERE event_uid = ANY($1)", [mine, *kept])
    assert [row[0] for row in left] == [theirs]
    said = await catalog.day(keeping.pool, keeping.project.id, day)
    assert said is not None
    assert said["removed_at"] is not None


@pytest.mark.parametrize("status", ["pending", "retrying"])
async def test_what_is_under_way_is_waited_for(keeping: Keeping, status: str) -> None:
    day = a_day()
    (uid,) = await keeping.store([stream.an_event()], day)
    delivery = await stream.deliver(keeping.pool, keeping.project.id, uid, uuid4(), status)
    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == {uid}
    assert keeping.files(day) == []
    await keeping.pool.execute("UPDATE deliveries SET status = 'cancelled' WHERE id = $1", delivery)
    await keeping.tick()
    assert await keeping.rows() == set()


async def test_what_dispatch_has_not_read_is_waited_for(keeping: Keeping) -> None:
    day = a_day()
    (uid,) = await keeping.store([stream.an_event()], day)
    await keeping.pool.execute("UPDATE events SET shard = 5, xid = stream_xid() WHERE uid = $1", uid)
    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == {uid}
    await keeping.pool.execute("UPDATE events SET shard = 100 WHERE uid = $1", uid)
    await keeping.tick()
    assert await keeping.rows() == set()


async def test_without_an_archive_nothing_goes_that_belongs_there(
    keeping: Keeping, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEIR_ARCHIVE_URL")
    from events.housekeep.handler import create

    keeping.handler = create(resources)
    (uid,) = await keeping.store([stream.an_event()], a_day())
    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == {uid}
    # Whoever wants none lets go of it.
    await keeping.keep(7, 0)
    await keeping.tick()
    assert await keeping.rows() == set()


async def test_recent_days_and_projects_without_a_retention_are_let_be(keeping: Keeping) -> None:
    (uid,) = await keeping.store([stream.an_event()], a_day())
    await keeping.tick()
    assert await keeping.rows() == {uid}
    (new,) = await stream.store(keeping.pool, keeping.project.id, [stream.an_event(2)])
    await keeping.keep(1)
    await keeping.tick()
    assert await keeping.rows() == {new}


async def test_neither_role_may_delete_by_itself(resources: Resources, keeping: Keeping) -> None:
    await keeping.store([stream.an_event()], a_day())
    for pool in (await resources.pg(), await resources.of(keeping.project.id)):
        for table in ("events", "deliveries", "attempts"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(f"DELETE FROM {table}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await (await resources.of(keeping.project.id)).execute("SELECT drop_day('2020-01-01')")
    with pytest.raises(asyncpg.RaiseError, match="not over"):
        await (await resources.pg()).execute("SELECT drop_day(current_date - 1)")


async def test_the_archive_is_shortened_but_for_what_is_held(keeping: Keeping) -> None:
    held, gone = a_day(), a_day()
    await keeping.store([stream.an_event(1, subject="kept")], held)
    await keeping.store([stream.an_event(2)], gone)
    await keeping.keep(7)
    await keeping.tick()
    hold = uuid4()
    await keeping.pool.execute(
        "INSERT INTO holds (id, project_id, name, subject, since, until, created_by)"
        " VALUES ($1, $2, 'a case', 'kept', $3, $4, 'test')",
        hold,
        keeping.project.id,
        _noon(held),
        _noon(held, 13),
    )
    await keeping.keep(7, 30)
    await keeping.tick()
    assert keeping.files(gone) == []
    assert len(keeping.files(held)) == 2
    assert await catalog.day(keeping.pool, keeping.project.id, gone) is None
    await keeping.pool.execute("UPDATE holds SET lifted_at = now() WHERE id = $1", hold)
    await keeping.tick()
    assert keeping.files(held) == []


async def test_what_is_held_goes_to_the_archive_where_there_is_to_be_none(keeping: Keeping) -> None:
    day = a_day()
    await keeping.store([stream.an_event()], day)
    hold = uuid4()
    await keeping.pool.execute(
        "INSERT INTO holds (id, project_id, name, created_by) VALUES ($1, $2, 'all of it', 'test')",
        hold,
        keeping.project.id,
    )
    await keeping.keep(7, 0)
    await keeping.tick()
    assert await keeping.rows() == set()
    assert len(keeping.files(day)) == 2
    await keeping.pool.execute("UPDATE holds SET lifted_at = now() WHERE id = $1", hold)
    await keeping.tick()
    assert keeping.files(day) == []
    assert await catalog.day(keeping.pool, keeping.project.id, day) is None


def _noon(day, hour=12):
    from datetime import UTC, datetime

    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
