"""`make torture`: faults under load, and afterwards the books.

    python -m tests.torture.run [--rate 300] [--seconds 4]

For each fault a fresh Weir with two workers gets a steady load and a subscription to a receiver that works;
after `--seconds` the fault strikes, the load goes on for as long again, then it stops, and what was
acknowledged is looked up: in the database and at the receiver. The table goes to stdout, JSON to
build/torture.json, and what people should read to docs/reliability.md.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from cli.local.servers import free_port
from tests.support.sink import Sink
from tests.support.weir import LocalWeir
from tests.torture.faults import FAULTS, Fault
from tests.torture.load import Producer

ROOT = Path(__file__).resolve().parents[2]
SETTLE_SECONDS = 90
WORKERS = "2"


@dataclass(frozen=True)
class Report:
    """The books of one fault. `lost` are acknowledged events that are not stored, or stored and forgotten."""

    fault: str
    acknowledged: int
    refused: int
    stored: int
    delivered: int
    waiting: int
    lost: int
    repeated: int
    recovered_seconds: float


async def torture(fault: Fault, home: Path, *, rate: int, seconds: float) -> Report:
    """One fault on a Weir of its own."""
    weir = LocalWeir(home)
    port = str(free_port())
    async with Sink() as sink:
        try:
            await _up(weir, port)
            context = weir.json("context", "show")
            weir.json("subscriptions", "create", "all", "--sink", sink.url)
            producer = Producer(f"{context['url']}/in/{context['project']}", context["apiKey"], rate)
            load = asyncio.create_task(producer.run())
            await asyncio.sleep(seconds)
            struck = time.monotonic()
            await asyncio.to_thread(fault.strike, weir)
            if fault.ends_weir:
                await _up(weir, port)
            recovered = await _acknowledges_again(producer, struck)
            await asyncio.sleep(seconds)
            producer.stop()
            await load
            return await _books(fault, weir, sink, producer, recovered)
        finally:
            await asyncio.to_thread(weir.kill)


async def _up(weir: LocalWeir, port: str) -> None:
    done = await asyncio.to_thread(weir.run, "up", "--detach", "--port", port, WEIR_WORKERS=WORKERS)
    if done.returncode != 0:
        raise SystemExit(done.stderr)


async def _acknowledges_again(producer: Producer, struck: float) -> float:
    """Seconds from the fault to an event that was sent after it and acknowledged."""
    known = len(producer.acknowledged)
    deadline = time.monotonic() + 60
    while producer.last_ack < struck + 0.05 or len(producer.acknowledged) == known:
        if time.monotonic() > deadline:
            raise SystemExit("Weir did not acknowledge anything within 60 s of the fault")
        await asyncio.sleep(0.02)
    return producer.last_ack - struck


async def _books(fault: Fault, weir: LocalWeir, sink: Sink, producer: Producer, recovered: float) -> Report:
    """Wait until nothing waits any more, or for `SETTLE_SECONDS`, then count."""
    running = json.loads((weir.home / "running.json").read_text())
    connection = await asyncpg.connect(running["database_url"])
    try:
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            rows = await connection.fetch(
                "SELECT e.id, d.status FROM events e LEFT JOIN deliveries d ON d.event_uid = e.uid"
            )
            states = {row["id"]: row["status"] for row in rows}
            open_ones = [i for i in producer.acknowledged if states.get(i) != "delivered"]
            if not open_ones or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
    finally:
        await connection.close()
    arrived = Counter(request.header("ce-id") for request in sink.requests)
    acknowledged = producer.acknowledged
    delivered = sum(1 for i in acknowledged if states.get(i) == "delivered" and arrived[i])
    waiting = sum(1 for i in acknowledged if states.get(i) in {"pending", "retrying"})
    return Report(
        fault=fault.name,
        acknowledged=len(acknowledged),
        refused=producer.refused,
        stored=sum(1 for i in acknowledged if i in states),
        delivered=delivered,
        waiting=waiting,
        lost=len(acknowledged) - delivered - waiting,
        repeated=sum(count - 1 for count in arrived.values()),
        recovered_seconds=round(recovered, 1),
    )


def table(reports: list[Report]) -> str:
    """Markdown, a row for each fault."""
    head = (
        "| fault | acknowledged | refused | stored | delivered | waiting | lost | repeated | recovered after |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(
        f"| {r.fault} | {r.acknowledged:,} | {r.refused:,} | {r.stored:,} | {r.delivered:,} | {r.waiting:,} "
        f"| {r.lost} | {r.repeated} | {r.recovered_seconds} s |"
        for r in reports
    )


def page(reports: list[Report], rate: int) -> str:
    """docs/reliability.md."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"""# Reliability

Written by `make torture` on {datetime.now(UTC):%Y-%m-%d} at commit `{commit}`, {os.cpu_count()} cores. Each row is a
fresh Weir with {WORKERS} workers under {rate} events a second, with durability on; the fault strikes in the middle.
"Refused" got no answer or not 202: nothing was promised about those. "Repeated" arrived more than once, with the
same `webhook-id`: at most what was in flight when a process died. "Lost" was acknowledged and is neither delivered
nor waiting.

{table(reports)}

How: `tests/torture/run.py`. One round of it, the kill of every process, runs in the test suite.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=4)
    chosen = parser.parse_args()
    reports = []
    for fault in FAULTS:
        print(fault.name, file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            reports.append(
                asyncio.run(torture(fault, Path(folder) / "home", rate=chosen.rate, seconds=chosen.seconds))
            )
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/torture.json").write_text(json.dumps([asdict(r) for r in reports], indent=2) + "\n")
    (ROOT / "docs/reliability.md").write_text(page(reports, chosen.rate))
    print(table(reports))
    if any(report.lost for report in reports):
        raise SystemExit("events were lost")


if __name__ == "__main__":
    main()
