"""The page that people read."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.torture.load import BATCH, BATCHING, KEYS, PRODUCERS
from tests.torture.play import BEFORE_SECONDS
from tests.torture.report import MEMORY_MIB, Row, table
from tests.torture.sinks import REFUSES_ONE_IN


def page(rows: Sequence[Row], report: Mapping[str, Any]) -> str:
    """docs/reliability.md."""
    measured = report["capacity"]
    load = f"{rows[0].rate:.0f} events a second" + (
        f", half of the {measured:.0f} that were taken and delivered to both subscriptions when as many came as could"
        if measured
        else ", set by `--rate`"
    )
    done = "\n".join(f"| {row.name} | {row.says} |" for row in rows)
    failed = [f"- **{row.name}**: {'; '.join(row.problems())}" for row in rows if row.problems()]
    verdict = "Nothing was lost." if not failed else "Not everything held:\n\n" + "\n".join(failed)
    return f"""# Reliability

`make torture` breaks Weir in every way there is under load, and accounts for every event it has acknowledged. Written
by `{report["command"]}` on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}, {platform.system()} {platform.release()}),
in {report["seconds"] / 60:.0f} minutes, on a machine whose load average was {report["busy"]:.1f} before. The load was {load}.

{table(rows)}

{verdict}

| scenario | what is done |
| --- | --- |
{done}

## How it is played

Most scenarios are played on a Weir as it is deployed: `ingest`, two `dispatch`, `explore` and `subscriptions`, a process each
(`python -m shared.runtime.serve NAME`), Postgres and Redis with durability on, and a broker that hands wakes on and ticks
once a minute. The last ones are played on `weir up` with two workers. The clock is moved by Debian's `faketime` for Weir's processes and
stores alone; the disk that fills up is a small one of its own, which needs root. Where one of them cannot be had the row says
so.

{PRODUCERS} producers send, {BATCHING} of them in batches of {BATCH}, and send again what was not answered with 202. After {BEFORE_SECONDS:.0f} s the
fault comes, then it is taken back, and the load goes on for a while. Two subscriptions get every event, one as it comes and one
with `ordering: partitionkey`, over {KEYS} keys; the receiver of that one answers one event in {REFUSES_ONE_IN} with 503 the first time,
since a retry has to hold up those behind it. Where a sink misbehaves, it has a third subscription, and the figures are those
of the two beside it.

## What is counted

- **acknowledged**: answered with 202. **stored**: found by the API. **delivered**: arrived at both receivers.
- **lost**: acknowledged, and not stored, or neither arrived nor waiting for one of the subscriptions. Where there is a bad
  sink, also what has no delivery for it.
- **duplicates**: 2xx answers beyond the first to one `webhook-id`. Explained are as many as had been answered and were not on
  record at one moment of the fault; where no dispatcher is touched nor the database, none.
- **order violation**: the first request for an event starts before all earlier ones of its key have been answered with 2xx
  ([0024](decisions/0024-what-torture-counts.md)).
- **taken again after**, **backlog gone after**: from the moment the fault begins to be taken back (the process or store is started, or the
  clock has been moved) to the next 202, and until everything acknowledged before that moment has arrived.
- **slowest delivery**: from the first try to send an event to its arrival, over the whole scenario, the fault included.
- **memory**: the most that a dispatching process had.

The command fails when something is lost, still waits in the end, started before its turn, or was repeated without an explanation; when
ingest answers anything but 202, 429, 503 and 507; when a process ends by itself or takes more than {MEMORY_MIB} MiB; and when recovery
takes more than `--patience`, a minute. `--only NAME` plays one scenario, `--rate` sets the load, `--list` names them all. One
of them is a test of the suite (`tests/torture/test_kill.py`).

## Why it holds

A killed dispatcher's shards stay with it until its lease runs out, ten seconds after it last renewed it: that is how long the slowest
deliveries take there. What its neighbours hold goes on. [Architecture](architecture.md) says what happens when something
dies, and what the answers rest on.
"""
