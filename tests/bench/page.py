"""The figures as a table, and the page that people read."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from typing import Any

from tests.support.served import ROOT

BEST_PEER = 0.19
"""Outpost's share of the null route, single durable events on two cores; Svix had 0.09 and Convoy 0.03."""


def table(figures: dict[str, Any]) -> str:
    """Markdown: a row for each figure, with its reference and the goal of the quality page."""
    null, ingest, batch = figures["null"], figures["ingest"], figures["batch"]
    delivery, latency = figures["delivery"], figures["latency"]
    codec, memory = figures["codec"], figures["memory"]
    share = ingest["perSecond"] / null["perSecond"]
    rows = [
        ("figure", "Weir", "reference in the same run", "ratio", "goal"),
        ("---",) * 5,
        (
            "single events, durable before 202, 64 connections, 1 KiB",
            f"{ingest['perSecond']:,.0f}/s",
            f"FastAPI route that stores nothing: {null['perSecond']:,.0f}/s",
            f"{ingest['perSecond'] / null['perSecond']:.2f}",
            "≥ 1.0",
        ),
        (
            "p99 of the same",
            f"{ingest['p99']:.1f} ms",
            f"{null['p99']:.1f} ms",
            f"{ingest['p99'] / null['p99']:.1f}",
            "≤ 2",
        ),
        ("commits per event", f"{ingest['commitsPerEvent']:.3f}", "", "", "≤ 0.1"),
        ("WAL per event", f"{ingest['walPerEvent'] / 1024:.2f} KiB", "", "", "≤ 2.5 KiB"),
        (
            "processor time per event, Weir and its stores",
            f"{ingest['processorMsPerEvent']:.3f} ms",
            "",
            "",
            "≤ 0.25 ms",
        ),
        (
            "share of the null route beside the best durable peer's",
            f"{share:.2f}",
            f"Outpost, measured on two cores before: {BEST_PEER}",
            f"{share / BEST_PEER:.1f}",
            "≥ 4",
        ),
        (
            "batches of 100, 64 connections",
            f"{batch['perSecond']:,.0f} events/s",
            f"COPY of as many rows into the same table, two connections: {batch['copyPerSecond']:,.0f} rows/s",
            f"{batch['perSecond'] / batch['copyPerSecond']:.2f}",
            "≥ 0.7",
        ),
        (
            "reading one event of 1 KiB: structured (with spaces)",
            f"{codec['structured']:.1f} µs ({codec['spaced']:.1f})",
            f"CloudEvents SDK: {codec['sdkStructured']:.1f} µs",
            f"{codec['structured'] / codec['sdkStructured']:.2f}",
            "≤ 8 µs, 0.4",
        ),
        (
            "the same: binary",
            f"{codec['binary']:.1f} µs",
            f"CloudEvents SDK: {codec['sdkBinary']:.1f} µs",
            f"{codec['binary'] / codec['sdkBinary']:.2f}",
            "≤ 8 µs, 0.33",
        ),
        *_checks(figures["checks"]),
        (
            f"memory of ingest at first, after {memory['events'] / 2:,.0f} and after {memory['events']:,.0f} events",
            " → ".join(f"{memory[name]:.0f}" for name in ("before", "half", "after")) + " MiB",
            "",
            "",
            "≤ 120 MiB, flat",
        ),
        (
            "ingest → delivered, one subscription, burst",
            f"{delivery['perSecond']:,.0f}/s",
            f"bare aiohttp loop to that sink: {delivery['barePerSecond']:,.0f}/s",
            f"{delivery['perSecond'] / delivery['barePerSecond']:.2f}",
            "≥ 0.5",
        ),
        (
            "acknowledged while delivering",
            f"{delivery['acksPerSecond']:,.0f}/s",
            f"FastAPI route that stores nothing: {null['perSecond']:,.0f}/s",
            f"{delivery['acksPerSecond'] / null['perSecond']:.2f}",
            "≥ 0.7",
        ),
        ("rows written per event while delivering", f"{delivery['rowsPerEvent']:.2f}", "", "", "2"),
        ("commits per event while delivering", f"{delivery['commitsPerEvent']:.3f}", "", "", "≤ 0.1"),
        ("WAL per event while delivering", f"{delivery['walPerEvent'] / 1024:.2f} KiB", "", "", "≤ 2.5 KiB"),
        (
            "processor time per event while delivering, Weir and its stores",
            f"{delivery['processorMsPerEvent']:.3f} ms",
            "",
            "",
            "≤ 0.3 ms",
        ),
        ("delivered twice in the burst", f"{delivery['repeated']:.0f}", "", "", "0"),
        (
            f"POST → sink at {latency['rate']}/s, p50 / p99",
            f"{latency['p50']:.1f} / {latency['p99']:.1f} ms",
            f"straight from sender to receiver: {latency['directP50']:.2f} ms",
            "",
            "≤ 1.5 / 3 ms",
        ),
        ("processors at that rate, Weir and its stores", f"{latency['cores']:.2f} of one", "", "", "≤ 0.3"),
        ("lost at that rate", str(latency["lost"]), "", "", "0"),
        *_together(figures),
    ]
    matching = [
        (
            "deciding who gets an event, filters of",
            "10 subscriptions",
            "10,000, 1 % match",
            "growth",
            "first of its kind",
            "goal",
        ),
        ("---",) * 6,
        *(
            (
                name,
                f"{row['sizes']['10']['unique']:.1f} µs",
                f"{row['sizes']['10000']['unique']:.1f} µs",
                f"{row['growth']['unique']:.1f}",
                f"{row['sizes']['10000']['cold']:.0f} µs",
                "< 3",
            )
            for name, row in figures["match"].items()
        ),
    ]
    starts = [
        ("function", "process start → first 2xx", "of a bare FastAPI", "goal", "memory then"),
        ("---",) * 5,
        *(
            (r["function"], f"{r['startMs']} ms", f"{r['ratio']:.2f}", "≤ 1.25", f"{r['memoryMiB']} MiB")
            for r in figures["start"]
        ),
    ]
    return "\n\n".join(
        "\n".join("| " + " | ".join(row) + " |" for row in part) for part in (rows, matching, starts)
    )


def _checks(checks: dict[str, float]) -> list[tuple[str, ...]]:
    """Who asks, and what they may do: on a warm cache, without I/O."""
    return [
        (
            "checking an API key: again within a second (when it was looked up anew)",
            f"{checks['key']:.1f} µs ({checks['keyAnew']:.1f})",
            f"bare HMAC-SHA256 of it: {checks['hmac']:.1f} µs",
            f"{checks['key'] / checks['hmac']:.2f} ({checks['keyAnew'] / checks['hmac']:.1f})",
            "≤ 60 µs",
        ),
        *(
            (
                f"checking an access token, {algorithm}: seen before (for the first time)",
                f"{checks[f'token{algorithm}']:.1f} µs ({checks[f'first{algorithm}']:.0f})",
                f"bare `jwt.decode` of PyJWT: {checks[f'pyjwt{algorithm}']:.0f} µs",
                "{:.2f} ({:.2f})".format(
                    *(
                        checks[f"{name}{algorithm}"] / checks[f"pyjwt{algorithm}"]
                        for name in ("token", "first")
                    )
                ),
                "≤ 150 µs",
            )
            for algorithm in ("EdDSA", "ES256")
        ),
    ]


def _together(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Many subscriptions, a slow sink, several processes."""
    delivery, fan_out = figures["delivery"], figures["fanOut"]
    backlog, workers = figures["backlog"], figures["workers"]
    alone, beside = backlog["without"], backlog["with"]
    return [
        (
            "fan-out: deliveries of events for 1,000 subscriptions each",
            f"{fan_out['perSecond']:,.0f}/s",
            f"one to one: {delivery['perSecond']:,.0f}/s",
            f"{fan_out['perSecond'] / delivery['perSecond']:.2f}",
            "≥ 0.8",
        ),
        (
            "processor time per delivery of those",
            f"{fan_out['processorMsPerDelivery']:.3f} ms",
            f"one to one, ingest included: {delivery['processorMsPerDelivery']:.3f} ms",
            f"{fan_out['processorMsPerDelivery'] / delivery['processorMsPerDelivery']:.2f}",
            "",
        ),
        (
            f"p99 of 99 fast sinks beside one of 5 s with {backlog['waiting']:,} deliveries waiting",
            f"{beside['p99']:.1f} ms",
            f"without it: {alone['p99']:.1f} ms",
            f"{beside['p99'] / alone['p99']:.2f}",
            "≤ 1.1",
        ),
        (
            "two processes, burst over both",
            f"{workers['perSecond']:,.0f}/s",
            f"one process: {delivery['perSecond']:,.0f}/s",
            f"{workers['perSecond'] / delivery['perSecond']:.2f}",
            "",
        ),
        (
            "the same beside what one process can POST",
            f"{workers['perSecond']:,.0f}/s",
            f"bare aiohttp loop to that sink: {delivery['barePerSecond']:,.0f}/s",
            f"{workers['perSecond'] / delivery['barePerSecond']:.2f}",
            "",
        ),
        ("shards of each of the two", " and ".join(map(str, workers["shards"])), "", "", "8 and 8"),
        ("delivered twice by them", f"{workers['repeated']:.0f}", "", "", "0"),
        (
            "one of them killed: the last of 1,000 events delivered after",
            f"{workers['takeOverSeconds']:.1f} s",
            "",
            "",
            "≤ 11 s, a lease",
        ),
    ]


def page(found: str, command: str) -> str:
    """docs/benchmarks.md."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"""# Benchmarks

Written by `make bench` (`{command}`) on {datetime.now(UTC):%Y-%m-%d} at commit `{commit}`, on
{os.cpu_count()} cores ({platform.machine()}, {platform.system()} {platform.release()}), Python {platform.python_version()}.

Load source, sink, Postgres, Redis and Weir (one process: the function `ingest` for what concerns it alone, all functions
for deliveries) share these cores; the stores have durability on, and rows of yesterday and today in them. Every round
measures the reference as well, figures are medians of the rounds. What counts is the ratio: absolute figures move with
the machine.

{found}

WAL while delivering includes the whole pages that Postgres logs after a checkpoint, which the figures before it cause:
most of them are of the index of identities, whose order is random. A burst on a fresh database wrote 2.4 KiB an event.
Fan-out, backlog and processes are in `tests/bench/delivery.py` and `backlog.py`: the slow sink's deliveries wait as
rows, and 200 events a second go to the fast ones.

How: `tests/bench/run.py`. The load source (`tests/bench/load.py`) speaks raw HTTP over 64 connections with unique
ids; the null route and the bare aiohttp loop are in `tests/bench/references.py`.
{_others()}"""


def _others() -> str:
    """The sections that other programs write, as they are."""
    written = (ROOT / "docs/benchmarks.md").read_text()
    return written[written.index("\n## ") :] if "\n## " in written else ""


def put_section(name: str, text: str) -> None:
    """Write a section of docs/benchmarks.md, in the place of the one of that name or at the end."""
    file = ROOT / "docs/benchmarks.md"
    before, found, after = file.read_text().partition(f"\n## {name}\n")
    rest = after[after.index("\n## ") :] if "\n## " in after else ""
    if not found:
        before = before.rstrip("\n") + "\n"
    file.write_text(f"{before}\n## {name}\n\n{text.rstrip()}\n{rest}")
