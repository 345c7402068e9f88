"""How fast events are delivered again, beside how fast they were delivered first; and what is live meanwhile.

`python -m tests.bench.replay [--events 100000] [--rate 200] [--rounds 3]`: everything in one process, as `weir up` runs it,
with a sink that answers at once. The live rate is of a burst, from the first POST to the last delivery; the replay is of the
same events to the same subscription, from its POST to the last delivery. Then events at a steady rate, without and with a
replay of all that at full speed to the same subscription and its sink, in turns.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from cli.local.servers import PostgresServer, RedisServer, free_port
from shared.db.migrate import migrate
from shared.runtime.settings import Settings
from tests.bench import latency
from tests.bench.stand import Bench
from tests.support.projects import Project, create_project
from tests.support.served import ROOT, Served

PATIENCE_SECONDS = 600
SETTLE_SECONDS = 2.0


def replay(bench: Bench, weir: Served, since: str, address: str) -> dict[str, Any]:
    """Start one of everything since then to that subscription; what is answered."""
    answer = httpx.post(
        f"{weir.url}/v1/projects/{bench.project.name}/replays",
        headers=bench.project.headers,
        json={"select": {"since": since}, "to": address.rpartition("/")[2]},
        timeout=60,
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def call_off(bench: Bench, weir: Served, job: dict[str, Any]) -> dict[str, Any]:
    """End a replay; how far it was."""
    at = f"{weir.url}/v1/projects/{bench.project.name}/replays/{job['id']}"
    found: dict[str, Any] = httpx.get(at, headers=bench.project.headers, timeout=60).json()
    if found["state"] == "done":
        raise SystemExit("the replay was over before the events were sent: take more --events")
    httpx.post(f"{at}/cancel", headers=bench.project.headers, timeout=60).raise_for_status()
    return found


def again(bench: Bench, weir: Served, since: str, address: str) -> dict[str, Any]:
    """Events delivered again, and how many a second."""
    busy, had, started = bench.busy(weir), bench.received()["received"], time.time()
    total = replay(bench, weir, since, address)["total"]
    while (now := bench.received())["received"] < had + total:
        if time.time() > started + PATIENCE_SECONDS:
            raise SystemExit(f"only {now['received'] - had} of {total} came again")
        time.sleep(0.05)
    return {
        "events": total,
        "perSecond": total / (now["lastAt"] - started),
        "processorMs": (bench.busy(weir) - busy) / total * 1000,
    }


def beside(
    bench: Bench, weir: Served, since: str, *, seconds: float, rate: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """How long what is live takes without and with a replay to the same sink, and what that delivers meanwhile."""
    alone = latency.measure(weir.url, bench.project, seconds=seconds, rate=rate)
    started: list[dict[str, Any]] = []

    def start(location: str) -> None:
        started.append(replay(bench, weir, since, location))
        time.sleep(SETTLE_SECONDS)

    began = time.monotonic()
    together = latency.measure(weir.url, bench.project, seconds=seconds, rate=rate, before=start)
    job = call_off(bench, weir, started[0])
    together["repeatsPerSecond"] = job["delivered"] / (time.monotonic() - began)
    time.sleep(SETTLE_SECONDS)
    return alone, together


def measure(bench: Bench, weir: Served, sink: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """The figures."""
    address = bench.subscribe(weir.url, sink)
    bench.burst([weir], chosen.events // 10)
    since = datetime.now(UTC).isoformat()
    live = bench.burst([weir], chosen.events)
    asyncio.run(bench.drained())
    found: dict[str, Any] = {"live": live, "again": again(bench, weir, since, address)}
    found["ratio"] = found["again"]["perSecond"] / live["perSecond"]
    bench.unsubscribe(address)
    time.sleep(SETTLE_SECONDS)
    rounds = [
        beside(bench, weir, since, seconds=chosen.seconds, rate=chosen.rate) for _ in range(chosen.rounds)
    ]
    for number, name in enumerate(("alone", "beside")):
        found[name] = {
            key: statistics.median(pair[number][key] for pair in rounds) for key in rounds[0][number]
        }
    found["p99s"] = [[pair[0]["p99"], pair[1]["p99"]] for pair in rounds]
    found["p99Ratio"] = found["beside"]["p99"] / found["alone"]["p99"]
    return found


def main() -> None:
    """Start servers, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        postgres, redis = PostgresServer(Path(folder) / "pg", None), RedisServer(Path(folder) / "redis", None)
        sink = subprocess.Popen([sys.executable, "-m", "tests.bench.references", "sink", str(port)], cwd=ROOT)
        try:
            postgres.start()
            redis.start()
            asyncio.run(migrate(postgres.url))
            settings = Settings.model_validate(
                {
                    "database_url": postgres.url,
                    "redis_url": redis.url,
                    "secret": "measured, not used: 32 signs or so",
                }
            )

            async def make_project() -> Project:
                connection = await asyncpg.connect(postgres.url)
                try:
                    return await create_project(connection, settings)
                finally:
                    await connection.close()

            stores = [server.process.pid for server in (postgres, redis) if server.process is not None]
            bench = Bench(postgres.url, asyncio.run(make_project()), {"sink": port}, stores)
            with Served(
                ["-m", "shared.runtime.serve", "--all"], settings, WEIR_SINK_ALLOW="127.0.0.0/8"
            ) as weir:
                figures = measure(bench, weir, f"http://127.0.0.1:{port}/", chosen)
            print(json.dumps(figures, indent=2))
        finally:
            sink.terminate()
            sink.wait()
            redis.stop()
            postgres.stop()


if __name__ == "__main__":
    main()
