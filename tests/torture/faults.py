"""The damage: what is killed, stopped, filled up or moved."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import asyncpg

from cli.local.child import ServerError
from shared.core.ids import SHARDS, uuid7
from tests.bench.processes import family
from tests.torture.clock import HOUR, NOTICED_SECONDS
from tests.torture.fleet import Fleet, Part, Unavailable
from tests.torture.play import Act, Stage

SMALL_DISK_MIB = 220
LEFT_BYTES = 4 * 1024 * 1024


async def in_the_middle(stage: Stage) -> None:
    """Wait for a moment at which requests to a receiver are under way."""
    async with asyncio.timeout(30):
        while not stage.plain.open:  # noqa: ASYNC110 other processes make it so
            await asyncio.sleep(0)


async def busiest(fleet: Fleet) -> Part:
    """The dispatching process that holds the most shards."""
    connection = await asyncpg.connect(fleet.database_url)
    try:
        owners = await connection.fetch(
            "SELECT owner, count(*) FROM shards WHERE owner IS NOT NULL GROUP BY owner ORDER BY 2 DESC"
        )
    finally:
        await connection.close()
    parts = {part.pid: part for part in fleet.dispatchers()}
    found = [parts[pid] for row in owners if (pid := int(row["owner"].split(":")[1])) in parts]
    return found[0] if found else fleet.dispatchers()[0]


async def kill_ingest(stage: Stage) -> None:
    stage.weir.parts["ingest"].kill()


async def kill_dispatch(stage: Stage) -> None:
    part = await busiest(stage.weir)
    await in_the_middle(stage)
    part.kill()


async def kill_both(stage: Stage) -> None:
    await in_the_middle(stage)
    for part in (stage.weir.parts["ingest"], *stage.weir.dispatchers()):
        part.kill()


async def kill_all(stage: Stage) -> None:
    """Every process of Weir and both stores, while nothing can be delivered."""
    stage.plain.refusing = stage.ordered.refusing = True
    await asyncio.sleep(1)
    await kill_both(stage)
    await kill_redis(stage)
    await kill_postgres(stage)


async def start_again(stage: Stage) -> None:
    """Start what does not run."""
    stage.plain.refusing = stage.ordered.refusing = False
    await stage.weir.start_stores()
    await asyncio.gather(*(part.start() for part in stage.weir.parts.values() if not part.runs))


async def pause_dispatch(stage: Stage) -> None:
    part = await busiest(stage.weir)
    await in_the_middle(stage)
    part.send(signal.SIGSTOP)


async def resume_dispatch(stage: Stage) -> None:
    for part in stage.weir.dispatchers():
        part.send(signal.SIGCONT)


async def stop_postgres(stage: Stage) -> None:
    """SIGINT, Postgres' fast shutdown."""
    await asyncio.to_thread(stage.weir.postgres.stop)


async def kill_postgres(stage: Stage) -> None:
    process = stage.weir.postgres.process
    process.kill()
    process.wait()


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def freeze_postgres(stage: Stage) -> None:
    """SIGSTOP of all its processes: connections stay, and nothing answers."""
    _signal(family(stage.weir.postgres.process.pid), signal.SIGSTOP)


async def thaw_postgres(stage: Stage) -> None:
    _signal(family(stage.weir.postgres.process.pid), signal.SIGCONT)


async def kill_redis(stage: Stage) -> None:
    process = stage.weir.redis.process
    process.kill()
    process.wait()


def clocks(*, weir: int, postgres: int) -> Act:
    """Move the wall clocks of Weir's processes and of Postgres to so many hours from the machine's.

    All stand still until each would notice: a clock moves for all processes at the same moment.
    """

    async def move(stage: Stage) -> None:
        parts = [part.pid for part in stage.weir.parts.values() if part.runs]
        still = [*parts, *family(stage.weir.postgres.process.pid)]
        _signal(still, signal.SIGSTOP)
        stage.weir.clock.move(weir * HOUR)
        stage.weir.postgres_clock.move(postgres * HOUR)
        await asyncio.sleep(NOTICED_SECONDS + 0.2)
        _signal(still, signal.SIGCONT)

    return move


async def crash_and_set_back(stage: Stage) -> None:
    """Both dispatchers die, and before they are back the clock is an hour back."""
    for part in stage.weir.dispatchers():
        part.kill()
    await clocks(weir=-1, postgres=-1)(stage)


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """A file system of its own at `place`. Raises Unavailable where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MIB}m", "weir-torture", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _filler(stage: Stage) -> Path:
    return stage.weir.postgres.home / "filler"


async def fill_disk(stage: Stage) -> None:
    """Leave next to nothing, and wait until an event is refused for want of space."""
    state = os.statvfs(stage.weir.postgres.home)
    _filler(stage).write_bytes(bytes(max(0, state.f_bavail * state.f_frsize - LEFT_BYTES)))
    async with asyncio.timeout(60):
        while not stage.load.answers[507] + stage.load.answers[503]:  # noqa: ASYNC110 the load runs beside
            await asyncio.sleep(0.02)


async def free_disk(stage: Stage) -> None:
    """Give the space back; a Postgres that ended for want of it is started, as whoever runs it would."""
    _filler(stage).unlink()
    while True:
        try:
            await stage.weir.start_stores()
        except ServerError:
            await asyncio.sleep(0.2)
        else:
            return


async def poison(stage: Stage) -> None:
    """An event in every shard that no code can read, as a mistake of a later version might store it."""
    connection = await asyncpg.connect(stage.weir.database_url)
    try:
        project = await connection.fetchval("SELECT id FROM projects WHERE name = $1", stage.project)
        for shard in range(SHARDS):
            await connection.execute(
                "INSERT INTO events (uid, identity, project_id, shard, data_kind, id, source, type,"
                " specversion) VALUES ($1, $2, $3, $4, 99, $5, '/poison', 't', '1.0')",
                uuid7(),
                uuid4(),
                project,
                shard,
                f"poison.{shard}",
            )
    finally:
        await connection.close()


async def remove_poison(stage: Stage) -> None:
    """The account is read from pages of events, which cannot show these."""
    connection = await asyncpg.connect(stage.weir.database_url)
    try:
        await connection.execute("DELETE FROM events WHERE source = '/poison'")
    finally:
        await connection.close()


def local(*kinds: str) -> Act:
    """Kill parts of a `weir up`."""

    async def kill(stage: Stage) -> None:
        await in_the_middle(stage)
        await stage.weir.kill(*kinds)

    return kill


async def kill_supervisor(stage: Stage) -> None:
    """And wait until what it had started is gone with it; until then that goes on delivering."""
    await stage.weir.kill("supervisor")
    await stage.weir.gone()


async def up(stage: Stage) -> None:
    await stage.weir.up()


@asynccontextmanager
async def on_small_disk(fleet: Fleet) -> AsyncIterator[None]:
    """The fleet, its database on a disk of its own."""
    with small_disk(fleet.postgres.home):
        async with fleet.running():
            yield
