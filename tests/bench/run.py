"""`make bench`: Weir's figures, each beside its reference in the same run.

    python -m tests.bench.run [--rounds 5] [--seconds 3] [--burst 10000]

Every round measures the references as well, because the machine's speed drifts; the figures are medians of
the rounds and ratios of medians. The stores are the embedded ones with durability on. The table goes to
stdout, everything to build/bench.json, and what people should read to docs/benchmarks.md.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from cli.local.servers import PostgresServer, RedisServer, free_port
from shared.core.ids import identity, uuid7
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.bench import latency, match, page, processes, start
from tests.bench.load import DATA
from tests.support.projects import Project, create_project
from tests.support.served import ROOT, Served

COLUMNS = (
    "uid",
    "identity",
    "project_id",
    "shard",
    "data_kind",
    "id",
    "source",
    "type",
    "specversion",
    "datacontenttype",
    "data",
    "producer",
)


class Bench:
    """The stores, Weir in one worker process, a null route and a sink, and the measurements on them."""

    def __init__(self, url: str, project: Project, ports: dict[str, int], stores: list[int]) -> None:
        self._url = url
        self._project = project
        self._ports = ports
        self._stores = stores

    def load(self, port: int, *arguments: str) -> dict[str, Any]:
        """What the load source prints."""
        command = [
            sys.executable,
            "-m",
            "tests.bench.load",
            str(port),
            f"/in/{self._project.name}",
            self._project.key,
            *arguments,
        ]
        return self._json(command)

    def _json(self, command: list[str]) -> dict[str, Any]:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if found.get("other"):
            raise SystemExit(f"{command[2]}: other answers than 2xx: {found['other']}")
        return found

    async def _counters(self) -> tuple[int, int]:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("SELECT pg_stat_force_next_flush()")
            commits = await connection.fetchval(
                "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()"
            )
            wal = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            return int(commits), int(wal)
        finally:
            await connection.close()

    def ingest(self, served: Served, seconds: float) -> dict[str, float]:
        """Single events over 64 connections."""
        before, busy = asyncio.run(self._counters()), self._busy(served)
        found = self.load(served.port, "--seconds", str(seconds))
        used = self._busy(served) - busy
        # Counters of a session reach the statistics when it is idle for a moment.
        time.sleep(1.2)
        after = asyncio.run(self._counters())
        events = found["events"]
        return {
            "perSecond": events / found["seconds"],
            "p50": found["p50"],
            "p99": found["p99"],
            "commitsPerEvent": (after[0] - before[0]) / events,
            "walPerEvent": (after[1] - before[1]) / events,
            "processorMsPerEvent": used / events * 1000,
        }

    def _busy(self, served: Served) -> float:
        """Seconds that Weir and its stores have had of the processors."""
        stores = [pid for store in self._stores for pid in processes.family(store)]
        return processes.processor_seconds([served.process.pid, *stores])

    def batch(self, port: int, seconds: float) -> tuple[int, float]:
        """Events, and events per second, in batches of 100 over 64 connections."""
        found = self.load(port, "--seconds", str(seconds), "--batch", "100")
        return found["events"], found["events"] / found["seconds"]

    def memory(self, served: Served, count: int) -> dict[str, float]:
        """MiB of the process before, half-way through and after `count` events, a tenth of them by themselves."""
        figures = {"before": processes.memory_mib(served.process.pid), "events": count}
        for name in ("half", "after"):
            self.load(served.port, "--count", str(count // 20))
            self.load(served.port, "--count", str(count * 9 // 2000), "--batch", "100", "--connections", "8")
            figures[name] = processes.memory_mib(served.process.pid)
        return figures

    async def season(self, count: int) -> None:
        """Make it a database that has run: rows of yesterday and today, log files that are written again."""
        now = time.time_ns() // 1_000_000
        connection = await asyncpg.connect(self._url)
        try:
            for day in (now - 86_400_000, now):
                for _ in range(count // 1000):
                    await connection.copy_records_to_table(
                        "events", records=self._rows(1000, day), columns=COLUMNS
                    )
            # Dispatch would have read them: the first reader of a row marks it as committed, which changes its page.
            await connection.fetchval("SELECT count(data) FROM events")
            await connection.execute("ANALYZE events")
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    def _rows(self, count: int, at_ms: int) -> list[tuple[Any, ...]]:
        rows = []
        for _ in range(count):
            made = uuid7()
            uid = UUID(int=(at_ms << 80) | (made.int & ((1 << 80) - 1)))
            rows.append(
                (
                    uid,
                    identity(self._project.id, "/copy", str(made)),
                    self._project.id,
                    -1,  # nobody reads it: these rows are a reference, not events to deliver
                    1,
                    str(made),
                    "/copy",
                    "com.acme.order.created",
                    "1.0",
                    "application/json",
                    DATA,
                    "copy",
                )
            )
        return rows

    async def copy(self, count: int) -> float:
        """Rows per second of COPY into the same table, in chunks of 1,000 with a commit each, two at once."""
        chunks = [self._rows(1000, time.time_ns() // 1_000_000) for _ in range(count // 1000)]
        pool = await asyncpg.create_pool(self._url, min_size=2, max_size=2)
        left = iter(chunks)

        async def work() -> None:
            for rows in left:
                await pool.copy_records_to_table("events", records=rows, columns=COLUMNS)

        started = time.perf_counter()
        await asyncio.gather(work(), work())
        seconds = time.perf_counter() - started
        await pool.close()
        return count / seconds

    def bare_post(self, count: int) -> float:
        """Events per second that a bare aiohttp loop POSTs to the sink."""
        found = self._json(
            [sys.executable, "-m", "tests.bench.references", "post", str(self._ports["sink"]), str(count)]
        )
        return float(found["perSecond"])

    def burst(self, port: int, count: int) -> dict[str, float]:
        """A burst of `count` events with one subscription: events per second from first POST to last delivery."""
        before = asyncio.run(self._counters())
        had = self._received()["received"]
        started = time.time()
        sent = self.load(port, "--count", str(count))
        deadline = time.time() + 120
        while (now := self._received())["received"] < had + count:
            if time.time() > deadline:
                raise SystemExit(f"only {now['received'] - had} of {count} events arrived")
            time.sleep(0.05)
        time.sleep(1.2)
        after = asyncio.run(self._counters())
        return {
            "perSecond": count / (now["lastAt"] - started),
            "acksPerSecond": count / sent["seconds"],
            "repeated": now["received"] - had - count,
            "commitsPerEvent": (after[0] - before[0]) / count,
            "walPerEvent": (after[1] - before[1]) / count,
        }

    def _received(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self._ports['sink']}/").json()
        return found

    async def drained(self) -> None:
        """Wait until dispatch has read every stored event, so that a burst is measured alone."""
        connection = await asyncpg.connect(self._url)
        try:
            while await connection.fetchval(  # noqa: ASYNC110 the condition is in the database
                "SELECT EXISTS (SELECT FROM shards s JOIN events e USING (shard)"
                " WHERE (e.xid, e.uid) > (s.cursor_xid, s.cursor_uid))"
            ):
                await asyncio.sleep(0.1)
        finally:
            await connection.close()

    def subscribe(self, url: str, sink: str) -> str:
        """A subscription of everything; its address."""
        answer = httpx.post(
            f"{url}/v1/projects/{self._project.name}/subscriptions",
            headers=self._project.headers,
            json={"name": "bench", "filters": [], "sink": sink},
        )
        answer.raise_for_status()
        return url + answer.headers["location"]

    def unsubscribe(self, address: str) -> None:
        """Delete a subscription."""
        httpx.delete(address, headers=self._project.headers).raise_for_status()


def median(rows: list[dict[str, float]], name: str) -> float:
    """The median of one figure over the rounds."""
    return statistics.median(row[name] for row in rows)


def measure_ingest(
    bench: Bench, served: Served, null_port: int, chosen: argparse.Namespace
) -> dict[str, Any]:
    """Figures of the function `ingest` alone, as it is deployed."""
    nulls: list[dict[str, float]] = []
    singles: list[dict[str, float]] = []
    batches: list[float] = []
    copies: list[float] = []
    for number in range(chosen.rounds):
        print(f"ingest, round {number + 1} of {chosen.rounds}", file=sys.stderr)
        found = bench.load(null_port, "--seconds", str(chosen.seconds))
        nulls.append(
            {"perSecond": found["events"] / found["seconds"], "p50": found["p50"], "p99": found["p99"]}
        )
        singles.append(bench.ingest(served, chosen.seconds))
        events, rate = bench.batch(served.port, chosen.seconds)
        batches.append(rate)
        # As many rows: what is written for some seconds meets the disk, and a short burst does not.
        copies.append(asyncio.run(bench.copy(events)))
    print(f"memory after {chosen.memory:,} events", file=sys.stderr)
    return {
        "null": {name: median(nulls, name) for name in nulls[0]},
        "ingest": {name: median(singles, name) for name in singles[0]},
        "batch": {"perSecond": statistics.median(batches), "copyPerSecond": statistics.median(copies)},
        "rounds": {"null": nulls, "ingest": singles, "batch": batches, "copy": copies},
        "memory": bench.memory(served, chosen.memory),
    }


def measure_delivery(
    bench: Bench, weir: Served, sink_port: int, chosen: argparse.Namespace
) -> dict[str, Any]:
    """Figures of all functions in one process."""
    bares: list[float] = []
    bursts: list[dict[str, float]] = []
    asyncio.run(bench.drained())
    subscription = bench.subscribe(weir.url, f"http://127.0.0.1:{sink_port}/")
    try:
        for number in range(chosen.rounds):
            print(f"delivery, round {number + 1} of {chosen.rounds}", file=sys.stderr)
            bares.append(bench.bare_post(chosen.burst))
            bursts.append(bench.burst(weir.port, chosen.burst))
    finally:
        bench.unsubscribe(subscription)
    print("latency at 200/s", file=sys.stderr)
    asyncio.run(bench.drained())
    slow = asyncio.run(latency.measure(weir.url, bench._project, seconds=10, rate=200))
    return {
        "delivery": {
            **{name: median(bursts, name) for name in bursts[0]},
            "barePerSecond": statistics.median(bares),
        },
        "latency": slow,
    }


def _output(module: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--burst", type=int, default=10_000)
    parser.add_argument("--memory", type=int, default=1_000_000, help="events until memory is looked at")
    parser.add_argument("--only-ingest", action="store_true", help="neither starts nor deliveries, no page")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"codec": json.loads(_output("tests.bench.codec"))}
    if not chosen.only_ingest:
        print("matching", file=sys.stderr)
        figures["match"] = match.figures([10, 10_000], 2000)
        print("start and memory of each function", file=sys.stderr)
        figures["start"] = start.measure(chosen.rounds, [])
    ports = {"null": free_port(), "sink": free_port()}
    with tempfile.TemporaryDirectory() as folder:
        postgres = PostgresServer(Path(folder) / "postgres", None)
        redis = RedisServer(Path(folder) / "redis", None)
        references = []
        try:
            postgres.start()
            redis.start()
            asyncio.run(migrate(postgres.url))
            settings = Settings(
                database_url=postgres.url, redis_url=redis.url, secret="measured, not used: 32 signs or so"
            )
            references = [
                subprocess.Popen([sys.executable, "-m", "tests.bench.references", name, str(port)], cwd=ROOT)
                for name, port in ports.items()
            ]

            async def make_project() -> Project:
                connection = await asyncpg.connect(postgres.url)
                try:
                    return await create_project(connection, settings)
                finally:
                    await connection.close()

            stores = [server.process.pid for server in (postgres, redis) if server.process is not None]
            bench = Bench(postgres.url, asyncio.run(make_project()), ports, stores)
            asyncio.run(bench.season(100_000))
            with Served(["-m", "shared.runtime.serve", "ingest"], settings) as ingest:
                figures |= measure_ingest(bench, ingest, ports["null"], chosen)
                if ingest.end() != 0:
                    raise SystemExit(ingest.errors)
            if chosen.only_ingest:
                print(json.dumps(figures, indent=2))
                return
            with Served(
                ["-m", "shared.runtime.serve", "--all"], settings, WEIR_SINK_ALLOW="127.0.0.0/8"
            ) as weir:
                figures |= measure_delivery(bench, weir, ports["sink"], chosen)
                if weir.end() != 0:
                    raise SystemExit(weir.errors)
        finally:
            for process in references:
                process.kill()
                process.wait()
            redis.stop()
            postgres.stop()
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(figures, indent=2) + "\n")
    table = page.table(figures)
    print(table)
    (ROOT / "docs/benchmarks.md").write_text(
        page.page(table, " ".join(["python -m tests.bench.run", *sys.argv[1:]]))
    )


if __name__ == "__main__":
    main()
