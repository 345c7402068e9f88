"""Figures of all functions together, as `weir up` runs them: from a producer's POST to the sink's door."""

import asyncio
import statistics
import sys
import time
from typing import Any

from shared.runtime.settings import Settings
from tests.bench import backlog, latency
from tests.bench.stand import Bench
from tests.support.served import Served

FAN_OUT = 1_000
RATE = 200
SECONDS = 10


def measure(bench: Bench, settings: Settings, sink_port: int, *, rounds: int, burst: int) -> dict[str, Any]:
    """Bursts, fan-out, latency and a backlog in one process; then a burst over two, of which one is killed."""
    sink = f"http://127.0.0.1:{sink_port}/"
    with _all(settings) as weir:
        figures = _bursts(bench, weir, sink, rounds, burst)
        figures["fanOut"] = _fan_out(bench, weir, sink, rounds, burst)
        _say(f"latency at {RATE}/s")
        asyncio.run(bench.drained())
        busy = bench.busy(weir)
        figures["latency"] = latency.measure(weir.url, bench.project, seconds=SECONDS, rate=RATE)
        figures["latency"]["cores"] = (bench.busy(weir) - busy) / SECONDS
        _say("one slow sink among fast ones")
        figures["backlog"] = backlog.measure(bench, weir)
        if weir.end() != 0:
            raise SystemExit(weir.errors)
    figures["workers"] = _workers(bench, settings, sink, burst)
    return figures


def _all(settings: Settings) -> Served:
    return Served(["-m", "shared.runtime.serve", "--all"], settings, WEIR_SINK_ALLOW="127.0.0.0/8")


def _bursts(bench: Bench, weir: Served, sink: str, rounds: int, burst: int) -> dict[str, Any]:
    bares: list[float] = []
    bursts: list[dict[str, float]] = []
    asyncio.run(bench.drained())
    subscription = bench.subscribe(weir.url, sink)
    try:
        # Connections, statements and pages that the first events of a process meet are not what a burst costs.
        bench.burst([weir], burst // 4)
        before = bench.settled()
        for number in range(rounds):
            _say(f"delivery, round {number + 1} of {rounds}")
            bares.append(bench.bare_post(burst))
            bursts.append(bench.burst([weir], burst))
        after = bench.settled()
    finally:
        bench.unsubscribe(subscription)
    names = ("commitsPerEvent", "walPerEvent", "rowsPerEvent")
    written = {name: (b - a) / burst / rounds for name, a, b in zip(names, before, after, strict=True)}
    found = {name: statistics.median(one[name] for one in bursts) for name in bursts[0]}
    return {
        "delivery": {**found, **written, "barePerSecond": statistics.median(bares), "burst": burst},
        "deliveryRounds": {"bare": bares, "burst": bursts},
    }


def _fan_out(bench: Bench, weir: Served, sink: str, rounds: int, burst: int) -> dict[str, float]:
    """Events for a thousand subscriptions each: as many deliveries as in a burst of one to one."""
    asyncio.run(bench.drained())
    ids = asyncio.run(bench.subscribe_all([(sink, [])] * FAN_OUT))
    events = max(1, burst // FAN_OUT)
    try:
        bench.burst([weir], 1, fan_out=FAN_OUT)
        found = []
        for number in range(rounds):
            _say(f"fan-out, round {number + 1} of {rounds}")
            found.append(bench.burst([weir], events, fan_out=FAN_OUT))
    finally:
        asyncio.run(bench.unsubscribe_all(ids))
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def _workers(bench: Bench, settings: Settings, sink: str, burst: int) -> dict[str, Any]:
    """Two processes on one database: how they share, and what becomes of the shards of one that is killed."""
    _say("two processes")
    with _all(settings) as one, _all(settings) as other:
        subscription = bench.subscribe(one.url, sink)
        try:
            bench.burst([one, other], burst // 4)
            shared = bench.burst([one, other], burst)
            owners = asyncio.run(bench.owners())
            # Nothing has been repeated without a fault; now there is one.
            other.process.kill()
            other.process.wait()
            killed_at = time.time()
            taken_over = bench.burst([one], 1_000)
            seconds = bench.received()["lastAt"] - killed_at
        finally:
            bench.unsubscribe(subscription)
        if one.end() != 0:
            raise SystemExit(one.errors)
    held = sorted(owners.values(), reverse=True)
    return {
        "perSecond": shared["perSecond"],
        "acksPerSecond": shared["acksPerSecond"],
        "processorMsPerEvent": shared["processorMsPerEvent"],
        "repeated": shared["repeated"],
        "shards": [*held, *[0] * (2 - len(held))],
        "takeOverSeconds": seconds,
        "repeatedAfterKill": taken_over["repeated"],
    }


def _say(what: str) -> None:
    print(what, file=sys.stderr)
