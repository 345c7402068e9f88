"""`make bench`: Weir's figures, each beside its reference in the same run.

    python -m tests.bench.run [--rounds 5] [--seconds 3] [--burst 20000]

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
from pathlib import Path
from typing import Any

import asyncpg

from cli.local.servers import PostgresServer, RedisServer, free_port
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.bench import cold, delivery, match, page
from tests.bench.stand import Bench
from tests.support.projects import Project, create_project
from tests.support.served import ROOT, Served

ALONE = ("codec", "checks")
"""The programs `tests.bench.NAME` that measure pure parts, by the names of their figures."""


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
    parser.add_argument("--burst", type=int, default=20_000)
    parser.add_argument("--memory", type=int, default=1_000_000, help="events until memory is looked at")
    parser.add_argument("--only-delivery", action="store_true", help="deliveries alone, no page")
    parser.add_argument("--only-ingest", action="store_true", help="neither starts nor deliveries, no page")
    chosen = parser.parse_args()
    # What needs no stores: each prints one JSON object.
    figures: dict[str, Any] = {name: json.loads(_output(f"tests.bench.{name}")) for name in ALONE}
    if not chosen.only_ingest and not chosen.only_delivery:
        print("matching", file=sys.stderr)
        figures["match"] = match.figures([10, 10_000], 2000)
        print("start and memory of each function", file=sys.stderr)
        figures["start"] = cold.measure(chosen.rounds, [])
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
            if not chosen.only_delivery:
                with Served(["-m", "shared.runtime.serve", "ingest"], settings) as ingest:
                    figures |= measure_ingest(bench, ingest, ports["null"], chosen)
                    if ingest.end() != 0:
                        raise SystemExit(ingest.errors)
            if chosen.only_ingest:
                print(json.dumps(figures, indent=2))
                return
            figures |= delivery.measure(
                bench, settings, ports["sink"], rounds=chosen.rounds, burst=chosen.burst
            )
        finally:
            for process in references:
                process.kill()
                process.wait()
            redis.stop()
            postgres.stop()
    if chosen.only_delivery:
        print(json.dumps(figures, indent=2))
        return
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
