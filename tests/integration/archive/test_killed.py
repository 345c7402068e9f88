"""Killed in the middle of archiving: nothing is lost, nothing is there twice, and it goes on where it was."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from shared.archive import catalog
from shared.archive.folder import FolderStore
from shared.archive.reading import fault_of, index_of, lines_in
from shared.runtime.settings import Settings
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream

PROGRAM = """
import asyncio, os, signal, sys
from events.housekeep.archive import writing
from events.housekeep.handler import create
from shared.archive import parts
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

parts.FRAME_BYTES, parts.PART_BYTES, writing.ROWS = 2_000, 1, 20
put, left = writing.put, int(sys.argv[1])

async def put_some(store, key, content):
    global left
    left -= 1
    if left < 0:
        if sys.argv[2] == "after":
            await put(store, key, content)
        os.kill(os.getpid(), signal.SIGKILL)
    await put(store, key, content)

writing.put = put_some

async def main():
    resources = Resources(Settings())
    await create(resources).handle({"type": "dev.weir.tick", "source": "/weir", "data": {}})
    await resources.close()

asyncio.run(main())
"""


async def tick_elsewhere(settings: Settings, folder: Path, puts: int, moment: str) -> int:
    """One tick in a process that kills itself at its put number `puts`, before or after it; how it ended."""
    environment = {
        **os.environ,
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
        "WEIR_SECRET": settings.secret.get_secret_value(),
        "WEIR_ARCHIVE_URL": folder.as_uri(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(puts), moment, env=environment
    )
    return await process.wait()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_at_every_step(keeping: Keeping, settings: Settings, moment: str) -> None:
    day = a_day()
    uids = await keeping.store([stream.an_event(n, data=b'"%d"' % n) for n in range(50)], day)
    await keeping.keep(7)
    # Objects of twenty events: three of them, and the manifest.
    for puts in (0, 1, 0, 0):
        assert await tick_elsewhere(settings, keeping.folder, puts, moment) == -signal.SIGKILL
        assert await keeping.rows() == set(uids)
    assert await tick_elsewhere(settings, keeping.folder, 99, moment) == 0

    assert await keeping.rows() == set()
    assert not await keeping.has_partition(day)
    store = FolderStore(keeping.folder)
    parts = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    assert [await fault_of(store, part) for part in parts] == [None] * len(parts)
    found = [
        line.uid
        for part in parts
        for frame in await index_of(store, part)
        for line in await lines_in(store, part, frame)
    ]
    assert found == uids
    assert keeping.files(day) == sorted([*(part.key.rpartition("/")[2] for part in parts), "manifest.json"])
