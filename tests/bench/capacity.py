"""What an event costs, by part: `python -m tests.bench.capacity [--events 20000]`.

Ingest and dispatch are a process each, as they are deployed, with Postgres (durable) and Redis beside them. What is counted
is what does not depend on who else uses the machine: processor time by part, bytes of WAL and of tables and
indexes, commands of Redis, bytes to a sink. The table of docs/operate/capacity.md goes to stdout, all of it to
build/capacity.json.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from cli.local.servers import PostgresServer, RedisServer, free_port
from shared.cache.client import open_redis
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.bench import processes
from tests.bench.stand import Bench
from tests.support.projects import Project, create_project
from tests.support.served import ROOT, Served

TICK = {
    "ce-specversion": "1.0",
    "ce-id": "tick",
    "ce-source": "/bench",
    "ce-type": "dev.weir.tick",
    "content-type": "application/json",
}
SIZES = """
SELECT split_part(relname, '_p', 1) AS name, sum(pg_relation_size(oid))::bigint AS heap,
    sum(pg_indexes_size(oid))::bigint AS indexes,
    sum(pg_total_relation_size(oid) - pg_relation_size(oid) - pg_indexes_size(oid))::bigint AS rest
FROM pg_class WHERE relkind = 'r' AND relname ~ '^(events|deliveries)_p' GROUP BY 1
"""


@contextmanager
def _ticking(dispatch: Served) -> Iterator[None]:
    """Keep a request of dispatch open, as a broker does while there is work."""
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            try:
                httpx.post(dispatch.url, headers=TICK, content=b"{}", timeout=300)
            except httpx.TransportError:
                over.wait(0.1)

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        over.set()


async def _redis(url: str) -> dict[str, int]:
    client = open_redis(url)
    try:
        found = await client.info("stats")
        return {name: int(found[name]) for name in ("total_commands_processed", "total_net_output_bytes")}
    finally:
        await client.aclose()


async def _database(url: str) -> dict[str, Any]:
    connection = await asyncpg.connect(url)
    try:
        events = await connection.fetchval("SELECT count(*) FROM events")
        sizes = {row["name"]: dict(row) for row in await connection.fetch(SIZES)}
        return {"events": events, "sizes": sizes}
    finally:
        await connection.close()


async def _request_bytes(bench: Bench, ingest: Served) -> int:
    """How large a request to a sink is, head and body, for an event of 1 KiB."""
    sizes: list[int] = []
    arrived = asyncio.Event()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0].partition(b":")[2]))
        sizes.append(len(head) + len(body))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        arrived.set()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    sink = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    ids = await bench.subscribe_all([(sink, [])])
    await asyncio.to_thread(bench.load, ingest.port, "--count", "1", "--connections", "1")
    await asyncio.wait_for(arrived.wait(), 60)
    await bench.unsubscribe_all(ids)
    server.close()
    return sizes[0]


def measure(
    settings: Settings, bench: Bench, sink: str, stores: dict[str, int], events: int
) -> dict[str, Any]:
    """Figures for each event: CPU in seconds for a million by part, bytes, commands; memory in MiB."""
    database, redis = settings.database_url.get_secret_value(), settings.redis_url.get_secret_value()
    with (
        Served(["-m", "shared.runtime.serve", "ingest"], settings) as ingest,
        Served(
            ["-m", "shared.runtime.serve", "dispatch"], settings, WEIR_SINK_ALLOW="127.0.0.0/8"
        ) as dispatch,
        _ticking(dispatch),
    ):
        parts = {"ingest": ingest.process.pid, "dispatch": dispatch.process.pid, **stores}

        def used() -> dict[str, float]:
            return {
                name: processes.processor_seconds(processes.family(pid) if name in stores else [pid])
                for name, pid in parts.items()
            }

        (subscription,) = asyncio.run(bench.subscribe_all([(sink, [])]))
        bench.burst([ingest], events // 4)
        written, before, asked = bench.settled(), used(), asyncio.run(_redis(redis))
        bench.burst([ingest], events)
        after, told = used(), asyncio.run(_redis(redis))
        wrote = bench.settled()
        found = asyncio.run(_database(database))
        memory = {name: processes.memory_mib(parts[name]) for name in ("ingest", "dispatch")}
        egress = asyncio.run(_request_bytes(bench, ingest))
        asyncio.run(bench.unsubscribe_all([subscription]))
        batches_before = used()
        batches, _ = bench.batch(ingest.port, 3)
        batches_after = used()
    stored = found["events"]
    return {
        "events": events,
        "cpu": {name: (after[name] - before[name]) / events * 1e6 for name in parts},
        "cpuInBatches": {
            name: (batches_after[name] - batches_before[name]) / batches * 1e6
            for name in ("ingest", "postgres")
        },
        "walBytes": (wrote[1] - written[1]) / events,
        "commits": (wrote[0] - written[0]) / events,
        "diskBytes": {
            name: {part: size[part] / stored for part in ("heap", "indexes", "rest")}
            for name, size in found["sizes"].items()
        },
        "redisCommands": (told["total_commands_processed"] - asked["total_commands_processed"]) / events,
        "egressBytes": egress,
        "memoryMib": memory,
    }


def table(figures: dict[str, Any]) -> str:
    """The rows of the page."""
    cpu, disk = figures["cpu"], figures["diskBytes"]
    total = {name: sum(parts.values()) for name, parts in disk.items()}
    rows = [
        *((f"CPU of {name}", f"{seconds:,.0f} s") for name, seconds in cpu.items()),
        ("CPU, all of it", f"{sum(cpu.values()):,.0f} s"),
        ("CPU of ingest, in batches of 100", f"{figures['cpuInBatches']['ingest']:,.0f} s"),
        ("CPU of postgres for those, not delivered", f"{figures['cpuInBatches']['postgres']:,.0f} s"),
        ("WAL", f"{figures['walBytes'] * 1e6 / 2**30:.1f} GiB"),
        ("disk: events, with their indexes", f"{total['events'] * 1e6 / 2**30:.2f} GiB"),
        ("of which indexes", f"{disk['events']['indexes'] * 1e6 / 2**30:.2f} GiB"),
        ("disk: deliveries, with their indexes", f"{total['deliveries'] * 1e6 / 2**30:.2f} GiB"),
        ("of which indexes", f"{disk['deliveries']['indexes'] * 1e6 / 2**30:.2f} GiB"),
        ("commits", f"{figures['commits'] * 1e6:,.0f}"),
        ("commands of Redis", f"{figures['redisCommands'] * 1e6:,.0f}"),
        ("bytes to sinks", f"{figures['egressBytes'] * 1e6 / 2**30:.2f} GiB"),
    ]
    return "\n".join(
        ["| a million events of 1 KiB | |", "| --- | ---: |", *(f"| {a} | {b} |" for a, b in rows)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    chosen = parser.parse_args()
    sink_port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        postgres = PostgresServer(Path(folder) / "postgres", None)
        redis = RedisServer(Path(folder) / "redis", None)
        sink = None
        try:
            postgres.start()
            redis.start()
            asyncio.run(migrate(postgres.url))
            settings = Settings(
                database_url=postgres.url, redis_url=redis.url, secret="measured, not used: 32 signs or so"
            )
            sink = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.references", "sink", str(sink_port)], cwd=ROOT
            )

            async def make_project() -> Project:
                connection = await asyncpg.connect(postgres.url)
                try:
                    return await create_project(connection, settings)
                finally:
                    await connection.close()

            assert postgres.process is not None
            assert redis.process is not None
            stores = {"postgres": postgres.process.pid, "redis": redis.process.pid}
            bench = Bench(
                postgres.url, asyncio.run(make_project()), {"sink": sink_port}, list(stores.values())
            )
            figures = measure(settings, bench, f"http://127.0.0.1:{sink_port}/", stores, chosen.events)
        finally:
            if sink is not None:
                sink.kill()
                sink.wait()
            redis.stop()
            postgres.stop()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "capacity.json").write_text(json.dumps(figures, indent=2))
    print(table(figures))
    print(f"memory afterwards: {figures['memoryMib']}", file=sys.stderr)


if __name__ == "__main__":
    main()
