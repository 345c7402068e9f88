"""`make torture`: break Weir in every way under load, and account for every acknowledged event.

    python -m tests.torture.run [--rate 150] [--only "dispatch killed"] [--list]

Two subscriptions get every event: one as it comes, one in the order of 48 partition keys. The load is half of
what this machine can do, measured first, or what --rate says. Each scenario is one row of the table on stdout;
all figures are in build/torture.json, and docs/reliability.md is written after a whole run. The exit code is 1
when anything acknowledged was lost, delivered out of order, repeated without a reason, or did not recover.

Example: python -m tests.torture.run --rate 100 --only "postgres killed" --only "sink: hangs"
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

from tests.support.served import ROOT
from tests.torture import clock, faults, page
from tests.torture.account import Api
from tests.torture.fleet import Fleet, Unavailable, Weir
from tests.torture.load import Load
from tests.torture.local import Local
from tests.torture.play import DELIVERY, Scenario, play, say
from tests.torture.report import Row, table
from tests.torture.scenarios import REDIS_SECONDS, SCENARIOS
from tests.torture.sinks import OrderedReceiver, Receiver

PROBE_EVENTS = 1_500
LEAST_RATE = 20.0
PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def place(kind: str, folder: Path) -> AsyncIterator[Weir]:
    """A running Weir of that kind. Raises Unavailable where this machine cannot have it."""
    if kind == "local":
        local = Local(folder)
        async with local.running():
            yield local
        return
    if kind == "clock" and clock.library() is None:
        raise Unavailable("the clock cannot be moved; on Debian: apt-get install faketime")
    fleet = Fleet(folder, clocks=kind == "clock")
    async with faults.on_small_disk(fleet) if kind == "disk" else fleet.running():
        yield fleet


async def capacity(weir: Weir) -> float:
    """Events per second that are taken and delivered to both subscriptions when as many come as can."""
    access = await weir.project()
    api = Api(weir, access)
    async with Receiver() as plain, OrderedReceiver() as ordered:
        subscriptions = [
            await api.subscribe("plain", plain.url, **DELIVERY),
            await api.subscribe("ordered", ordered.url, ordering="partitionkey", **DELIVERY),
        ]
        load = Load(f"{weir.url('ingest')}/in/{access.project}", access.key, float("inf"), limit=PROBE_EVENTS)
        began = time.monotonic()
        load.start()
        await load.whole()
        async with asyncio.timeout(120):
            while min(len(plain.arrived), len(ordered.arrived)) < len(load.acknowledged):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        took = time.monotonic() - began
        for subscription in subscriptions:
            await api.unsubscribe(subscription)
    return len(load.acknowledged) / took


async def torture(
    folder: Path, scenarios: Sequence[Scenario], *, rate: float | None, patience: float
) -> tuple[list[Row], float | None]:
    """Play `scenarios`, those of one place in one Weir; their rows, and the capacity where it was measured."""
    rows: list[Row] = []
    measured: float | None = None
    left = list(scenarios)
    while left:
        kind = left[0].place
        say(f"starting Weir: {kind}")
        try:
            async with place(kind, folder / f"{kind}-{len(rows)}") as weir:
                if rate is None:
                    measured = await capacity(weir)
                    rate = max(LEAST_RATE, measured / 2)
                    say(f"capacity {measured:.0f} events/s, load {rate:.0f}/s")
                while left and left[0].place == kind:
                    say(f"{left[0].name}: {left[0].says}")
                    row = await play(left[0], weir, rate=rate, patience=patience)
                    del left[0]
                    rows.append(row)
                    say(f"  {row.seconds:.0f} s, {'; '.join(row.problems()) or 'all accounted for'}")
        except Unavailable as error:
            say(f"skipped: {error}")
            rows += [Row(s.name, s.says, skipped=str(error)) for s in left if s.place == kind]
            left = [scenario for scenario in left if scenario.place != kind]
        except Exception as error:
            # What comes next is played on a new one.
            traceback.print_exc()
            rows.append(Row(left[0].name, left[0].says, broke=f"{type(error).__name__}: {error}"))
            del left[0]
    return rows, measured


def _command(chosen: argparse.Namespace) -> str:
    """What to call for the same again."""
    named = {"rate": chosen.rate, "redis-seconds": chosen.redis_seconds, "patience": chosen.patience}
    usual = {"rate": None, "redis-seconds": REDIS_SECONDS, "patience": PATIENCE_SECONDS}
    parts = [f"--{name} {value:g}" for name, value in named.items() if value != usual[name]]
    return " ".join(["python -m tests.torture.run", *parts])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, help="events per second; by default half of the capacity")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="play this one alone (may be repeated)"
    )
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument(
        "--redis-seconds", type=float, default=REDIS_SECONDS, help="how long Redis is away (%(default).0f)"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_SECONDS,
        help="seconds that a recovery may take (%(default).0f)",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave logs and data there")
    chosen = parser.parse_args(arguments)
    known = [
        replace(
            scenario,
            hold=chosen.redis_seconds if scenario.name == "redis killed" else scenario.hold,
            says=scenario.says.format(hold=chosen.redis_seconds),
        )
        for scenario in SCENARIOS
    ]
    if chosen.list:
        for scenario in known:
            print(f"{scenario.name:28} {scenario.says}")
        return 0
    names = {scenario.name for scenario in known}
    if unknown := set(chosen.only or ()) - names:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; --list names them")
    scenarios = [scenario for scenario in known if not chosen.only or scenario.name in chosen.only]
    began, busy = time.monotonic(), os.getloadavg()[0]
    folder = chosen.keep or Path(tempfile.mkdtemp(prefix="weir-torture-"))
    try:
        rows, measured = asyncio.run(torture(folder, scenarios, rate=chosen.rate, patience=chosen.patience))
    finally:
        if chosen.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    report = {
        "command": _command(chosen),
        "capacity": measured,
        "busy": busy,
        "seconds": time.monotonic() - began,
        "rows": [{**asdict(row), "problems": row.problems()} for row in rows],
    }
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "torture.json").write_text(json.dumps(report, indent=2) + "\n")
    print(table(rows))
    failed = [row for row in rows if row.problems()]
    for row in failed:
        print(f"\n{row.name}: {'; '.join(row.problems())}")
    if not chosen.only:
        (ROOT / "docs" / "reliability.md").write_text(page.page(rows, report))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
