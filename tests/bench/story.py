"""What an event's story costs while events come in: `python -m tests.bench.story`.

Events are stored as ingest stores them, alone and 500 at once, with what is noted for stories (three columns, three partial
indexes) and without, in turns on one connection: microseconds an event, the median of rounds. Then the text of an
attempt's detail, with its durations: microseconds each.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg

from cli.local.servers import PostgresServer
from shared.core.cloudevents import DataKind, Event
from shared.db.migrate import migrate
from shared.db.pool import open_pool
from shared.http.answer import Answer, Timings
from shared.intake import queries
from shared.intake.rows import Group, Waiting
from shared.intake.storing import Days, now_ms
from shared.sending.attempt import detail_of

NOTED = 3
"""The last columns are those of stories."""

INDEXES = ("causation", "correlation", "trace")
DATA = json.dumps({"order": "A-1", "text": "x" * 200}).encode()


def group(project: UUID, size: int) -> list[Any]:
    """The rows of a commit of `size` events."""
    events = [
        Event("1.0", uuid4().hex, "/bench", "com.example.made", data=DATA, data_kind=DataKind.JSON)
        for _ in range(size)
    ]
    waiting = Waiting(project, "key:bench", events, (), 0, asyncio.get_running_loop().create_future(), 1_500)
    return Group([waiting]).rows(now_ms(), {}, lambda raw: UUID(bytes=raw))[1]


async def measure(connection: asyncpg.Connection, rounds: int) -> dict[str, float]:
    """Microseconds an event, with and without."""
    project, taken = uuid4(), {}
    shown = {
        row["indexname"]: row["indexdef"]
        for row in await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname = ANY($1)",
            [f"ix_events_{name}" for name in INDEXES],
        )
    }
    for _ in range(rounds):
        for on in ("without", "with"):
            for name, definition in shown.items():
                await connection.execute(f"DROP INDEX IF EXISTS {name}")
                if on == "with":
                    await connection.execute(definition.replace(" ON ONLY ", " ON "))
            cut = None if on == "with" else -NOTED
            columns, types = queries.COLUMNS[:cut], queries._TYPES[:cut]
            places = ", ".join(f"${n}::{kind}" for n, kind in enumerate(types, 1))
            with (
                patch.object(queries, "COLUMNS", columns),
                patch.object(queries, "_YESTERDAY", f"${len(columns) + 1}"),
                patch.object(queries, "_TODAY", f"${len(columns) + 2}"),
            ):
                insert = queries._insert(f"(VALUES ({places}))")
            days = Days.of(now_ms())
            for size, commits in ((1, 400), (500, 10)):
                rows = [[row[:cut] for row in group(project, size)] for _ in range(commits)]
                started = perf_counter()
                for some in rows:
                    if size == 1:
                        await connection.fetch(insert, *some[0], days.yesterday, days.today)
                    else:
                        await connection.copy_records_to_table(
                            f"events_p{datetime.now(UTC):%Y%m%d}", records=some, columns=columns
                        )
                spent = (perf_counter() - started) * 1e6 / (size * commits)
                taken.setdefault(f"{size} at once, {on}", []).append(spent)
    return {name: median(all_) for name, all_ in sorted(taken.items())}


def details(rounds: int = 20_000) -> dict[str, float]:
    """Microseconds for the text of one attempt's detail, of an answer that was seen before."""
    headers = [(b"content-type", b"text/plain"), (b"date", b"Sat, 28 Nov 2026 12:00:00 GMT")]
    answers = [
        Answer(
            200,
            headers,
            b"ok",
            truncated=False,
            timings=Timings(None, None, None, n, 30),
            address="127.0.0.1",
        )
        for n in range(rounds)
    ]
    started = perf_counter()
    for answer in answers:
        detail_of("http://sink.test/", answer)
    return {"detail of an attempt": (perf_counter() - started) * 1e6 / rounds}


async def run(url: str, rounds: int) -> dict[str, float]:
    """All of it, on a new database."""
    await migrate(url)
    pool = await open_pool(url, size=1)
    try:
        async with pool.acquire() as connection:
            day = datetime.now(UTC).date()
            await connection.execute("SELECT ensure_partitions($1, $1)", day)
            return await measure(connection, rounds) | details()
    finally:
        await pool.close()


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            found = asyncio.run(run(server.url, chosen.rounds))
        finally:
            server.stop()
    sys.stdout.write(json.dumps({name: round(us, 2) for name, us in found.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
