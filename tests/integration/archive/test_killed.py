"""Killed in the middle of it: nothing is lost, nothing is there twice, and it goes on where it was."""

import signal
from uuid import UUID

import pytest

from shared.archive import catalog
from shared.archive.folder import FolderStore
from shared.archive.reading import fault_of, index_of, lines_in
from shared.runtime.settings import Settings
from tests.integration.archive.conftest import Keeping, a_day, bytes_of, erase, recall
from tests.integration.archive.killed import tick_elsewhere
from tests.support import stream


async def in_archive(keeping: Keeping, day) -> list[UUID]:
    """The events of a day of the archive, which is whole, and has no other files."""
    store = FolderStore(keeping.folder)
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert [await fault_of(store, part) for part in parts] == [None] * len(parts)
    assert keeping.files(day) == sorted([*(part.key.rpartition("/")[2] for part in parts), "manifest.json"])
    return [
        line.uid
        for part in parts
        for frame in await index_of(store, part)
        for line in await lines_in(store, part, frame)
    ]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_in_the_middle_of_archiving(keeping: Keeping, settings: Settings, moment: str) -> None:
    day = a_day()
    uids = await keeping.store([stream.an_event(n, data=b'"%d"' % n) for n in range(50)], day)
    await keeping.keep(7)
    # Objects of twenty events: three of them, and the manifest.
    for steps in (0, 1, 0, 0):
        ended = await tick_elsewhere(settings, keeping.folder, steps=steps, moment=moment)
        assert ended == -signal.SIGKILL
        assert await keeping.rows() == set(uids)
    assert await tick_elsewhere(settings, keeping.folder) == 0
    assert await keeping.rows() == set()
    assert not await keeping.has_partition(day)
    assert await in_archive(keeping, day) == uids


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_in_the_middle_of_a_recall(keeping: Keeping, settings: Settings, moment: str) -> None:
    day = a_day()
    uids = await keeping.store([stream.an_event(n, data=b'"%d"' % n) for n in range(50)], day)
    before = [await keeping.row(uid) for uid in uids]
    await keeping.keep(7)
    assert await tick_elsewhere(settings, keeping.folder) == 0
    assert await keeping.rows() == set()
    asked = await recall(keeping, day)
    for steps in (0, 1):
        ended = await tick_elsewhere(settings, keeping.folder, steps=steps, moment=moment)
        assert ended == -signal.SIGKILL
    assert 0 < len(await keeping.rows()) < len(uids)
    assert await tick_elsewhere(settings, keeping.folder) == 0
    assert [await keeping.row(uid) for uid in uids] == before
    row = await keeping.pool.fetchrow("SELECT state, events FROM recalls WHERE id = $1", asked)
    assert tuple(row) == ("done", 50)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_in_the_middle_of_an_erasure(keeping: Keeping, settings: Settings, moment: str) -> None:
    day, alone = a_day(), a_day()
    events = [stream.an_event(n, subject=("mara", "jon")[n % 2], data=b'"%d"' % n) for n in range(50)]
    uids = await keeping.store(events, day)
    await keeping.store([stream.an_event(1, subject="mara")], alone)
    await keeping.keep(7)
    assert await tick_elsewhere(settings, keeping.folder) == 0
    recent = await stream.store(
        keeping.pool, keeping.project.id, [stream.an_event(51, subject="mara"), stream.an_event(52)]
    )
    asked = await erase(keeping, "mara")
    killed = 0
    for steps in range(30):
        ended = await tick_elsewhere(settings, keeping.folder, steps=min(steps, 3 + steps % 3), moment=moment)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
    assert killed > 5
    for _ in range(2):
        await keeping.tick()

    row = await keeping.pool.fetchrow(
        "SELECT state, events, archived_events FROM erasures WHERE id = $1", asked
    )
    assert tuple(row) == ("done", 1, 26)
    assert await keeping.rows() == {recent[1]}
    assert await in_archive(keeping, day) == uids[1::2]
    assert keeping.files(alone) == []
    assert b"mara" not in bytes_of(keeping)
