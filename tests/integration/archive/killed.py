"""A tick of `housekeep` in a process of its own, which kills itself at a step, or whose disk is full."""

import asyncio
import os
import sys
from pathlib import Path

from shared.runtime.settings import Settings

PROGRAM = """
import asyncio, os, resource, signal, sys
from events.housekeep.archive import queries, writing
from events.housekeep.handler import create
from shared.archive import parts, recalling
from shared.archive.folder import FolderStore
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

parts.FRAME_BYTES, parts.PART_BYTES, writing.ROWS = 2_000, 1, 20
left, moment, room = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def dying(step):
    async def die(*arguments, **options):
        global left
        left -= 1
        if left < 0 and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await step(*arguments, **options)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    return die

FolderStore.put, FolderStore.delete = dying(FolderStore.put), dying(FolderStore.delete)
recalling._insert = dying(recalling._insert)
queries.remove_events, queries.add_archived = dying(queries.remove_events), dying(queries.add_archived)
queries.note_look, queries.end = dying(queries.note_look), dying(queries.end)
if room:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

async def main():
    resources = Resources(Settings())
    await create(resources).handle({"type": "dev.weir.tick", "source": "/weir", "data": {}})
    await resources.close()

asyncio.run(main())
"""


async def tick_elsewhere(
    settings: Settings, folder: Path, *, steps: int = 1_000, moment: str = "before", room: int = 0
) -> int:
    """One tick that ends at its step number `steps`, before or after it; how the process ended.

    Steps are what changes the archive or the database. No file may become larger than `room` bytes, where it is given.
    """
    environment = {
        **os.environ,
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
        "WEIR_SECRET": settings.secret.get_secret_value(),
        "WEIR_ARCHIVE_URL": folder.as_uri(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(steps), moment, str(room), env=environment
    )
    return await process.wait()
