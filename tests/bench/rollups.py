"""What the marks of roll-ups cost whoever writes deliveries: `python -m tests.bench.rollups`.

The insert of dispatch, in batches of 1 and of 200, with and without the trigger, in turns on one connection; and an
update of deliveries that are older, whose minutes are marked. Figures are microseconds a row, the median of rounds.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import asyncpg

from cli.local.servers import PostgresServer
from shared.core.ids import floor
from shared.db.migrate import migrate
from shared.db.pool import open_pool

INSERT = """
INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status, attempt_count,
    ended_at, first_started_at, first_duration_us, first_status_code, first_detail)
SELECT id, $2, id, $3, 1, 100, 'delivered', 1, now(), now(), 900, 200, $4 FROM unnest($1::uuid[]) id
"""
UPDATE = (
    "UPDATE deliveries SET attempt_count = attempt_count + 1, status = 'retrying' WHERE id = ANY($1::uuid[])"
)
TRIGGERS = ("mark_minutes_insert", "mark_minutes_update")
DETAIL = {
    "url": "http://sink.test/",
    "response": {"headers": {"content-type": "text/plain"}, "body": "x" * 200},
}


def ids(count: int, at: datetime) -> list[UUID]:
    """Ids of that moment."""
    start = floor(int(at.timestamp() * 1000)).int
    return [UUID(int=start | 0x7 << 76 | (uuid4().int & ((1 << 74) - 1))) for _ in range(count)]


async def measure(connection: asyncpg.Connection, rounds: int, rows: int) -> dict[str, float]:
    """Microseconds a row of each kind of write, with and without the triggers."""
    project, subscription = uuid4(), uuid4()
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for on in ("without", "with"):
            for trigger in TRIGGERS:
                enable = "ENABLE" if on == "with" else "DISABLE"
                await connection.execute(f"ALTER TABLE deliveries {enable} TRIGGER {trigger}")
            for batch in (1, 200):
                made = ids(min(rows, batch * 400), datetime.now(UTC))
                batches = [made[at : at + batch] for at in range(0, len(made), batch)]
                started = perf_counter()
                for one in batches:
                    await connection.execute(INSERT, one, project, subscription, DETAIL)
                taken.setdefault(f"insert by {batch}, {on}", []).append(
                    (perf_counter() - started) / len(made)
                )
            old = ids(2_000, datetime.now(UTC) - timedelta(minutes=10))
            await connection.execute(INSERT, old, project, subscription, DETAIL)
            started = perf_counter()
            for at in range(0, len(old), 200):
                await connection.execute(UPDATE, old[at : at + 200])
            taken.setdefault(f"update by 200, {on}", []).append((perf_counter() - started) / len(old))
    await connection.execute("DELETE FROM rollup_marks")
    return {name: round(median(times) * 1e6, 2) for name, times in taken.items()}


async def run(url: str, rounds: int, rows: int) -> dict[str, float]:
    """The same on a new database."""
    await migrate(url)
    pool = await open_pool(url, size=1)
    try:
        async with pool.acquire() as connection:
            return await measure(connection, rounds, rows)
    finally:
        await pool.close()


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--rows", type=int, default=20_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder) / "postgres")
        server.start()
        try:
            found = asyncio.run(run(server.url, chosen.rounds, chosen.rows))
        finally:
            server.stop()
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
