"""The stand: the stores, a project and the sink, and what can be measured on them."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from shared.core.ids import identity, uuid7
from tests.bench import processes
from tests.bench.load import DATA
from tests.support.projects import Project
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


FLUSH_SECONDS = 11
"""A session that falls idle tells of its last second's work within ten seconds (PGSTAT_IDLE_INTERVAL)."""

_NEW_VERSION = "UPDATE projects SET version = version + 1 WHERE id = $1"


class Bench:
    """The stores, Weir in one worker process, a null route and a sink, and the measurements on them."""

    def __init__(self, url: str, project: Project, ports: dict[str, int], stores: list[int]) -> None:
        self._url = url
        self.project = project
        self._ports = ports
        self._stores = stores

    def load(self, port: int, *arguments: str) -> dict[str, Any]:
        """What the load source prints."""
        command = [
            sys.executable,
            "-m",
            "tests.bench.load",
            str(port),
            f"/in/{self.project.name}",
            self.project.key,
            *arguments,
        ]
        return self._json(command)

    def _start_load(self, port: int, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.bench.load", str(port), f"/in/{self.project.name}"]
        return subprocess.Popen(
            [*command, self.project.key, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    def _end_load(self, source: "subprocess.Popen[str]") -> dict[str, Any]:
        said, _ = source.communicate()
        found: dict[str, Any] = json.loads(said)
        if found.get("other"):
            raise SystemExit(f"the load source: other answers than 2xx: {found['other']}")
        return found

    def _json(self, command: list[str]) -> dict[str, Any]:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        if found.get("other"):
            raise SystemExit(f"{command[2]}: other answers than 2xx: {found['other']}")
        return found

    def settled(self) -> tuple[int, int, int]:
        """Commits, bytes of WAL and rows until now, when every session has told of what it did."""
        time.sleep(FLUSH_SECONDS)
        return asyncio.run(self._counters())

    async def _counters(self) -> tuple[int, int, int]:
        """Commits, bytes of WAL, and rows of events, deliveries and attempts that were written."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("SELECT pg_stat_force_next_flush()")
            commits = await connection.fetchval(
                "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()"
            )
            wal = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
            rows = await connection.fetchval(
                "SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables"
                " WHERE relname ~ '^(events|deliveries|attempts)_p'"
            )
            return int(commits), int(wal), int(rows)
        finally:
            await connection.close()

    def ingest(self, served: Served, seconds: float) -> dict[str, float]:
        """Single events over 64 connections."""
        before, busy = asyncio.run(self._counters()), self.busy(served)
        found = self.load(served.port, "--seconds", str(seconds))
        used = self.busy(served) - busy
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

    def busy(self, *served: Served) -> float:
        """Seconds that Weir and its stores have had of the processors."""
        stores = [pid for store in self._stores for pid in processes.family(store)]
        return processes.processor_seconds([*(one.process.pid for one in served), *stores])

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
                    identity(self.project.id, "/copy", str(made)),
                    self.project.id,
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

    def burst(self, served: Sequence[Served], count: int, *, fan_out: int = 1) -> dict[str, float]:
        """A burst of `count` events, each for `fan_out` subscriptions: figures per event, rates of deliveries.

        With several processes each gets its part of the load. From first POST to last delivery.
        """
        busy = self.busy(*served)
        had = self.received()["received"]
        awaited = had + count * fan_out
        started = time.time()
        sources = [
            self._start_load(
                one.port, "--count", str(count // len(served)), "--connections", str(64 // len(served))
            )
            for one in served
        ]
        sent = [self._end_load(source) for source in sources]
        deadline = time.time() + 240
        while (now := self.received())["received"] < awaited:
            if time.time() > deadline:
                raise SystemExit(f"only {now['received'] - had} of {awaited - had} deliveries arrived")
            time.sleep(0.05)
        time.sleep(0.5)  # the last record, and repeated deliveries, if there are any
        used = self.busy(*served) - busy
        return {
            "perSecond": count * fan_out / (now["lastAt"] - started),
            "acksPerSecond": sum(one["events"] / one["seconds"] for one in sent),
            "ackP99": max(one["p99"] for one in sent),
            "repeated": self.received()["received"] - awaited,
            "processorMsPerEvent": used / count * 1000,
            "processorMsPerDelivery": used / count / fan_out * 1000,
        }

    def received(self) -> dict[str, Any]:
        """What the sink has got: `received`, `lastAt`."""
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self._ports['sink']}/", timeout=30).json()
        return found

    async def subscribe_all(self, sinks: Sequence[tuple[str, list[Any]]]) -> list[UUID]:
        """Subscriptions of (sink, filters), saved as the API saves them, in one go."""
        ids = [uuid4() for _ in sinks]
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction():
                await connection.executemany(
                    "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery)"
                    " VALUES ($1, $2, $3, $4, $5, '{}')",
                    [
                        (made, self.project.id, f"bench-{made.hex}", json.dumps(filters), sink)
                        for made, (sink, filters) in zip(ids, sinks, strict=True)
                    ],
                )
                await connection.execute(_NEW_VERSION, self.project.id)
        finally:
            await connection.close()
        return ids

    async def unsubscribe_all(self, ids: Sequence[UUID]) -> None:
        """Delete subscriptions, and what waits for them."""
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction():
                await connection.execute("DELETE FROM subscriptions WHERE id = ANY($1)", ids)
                await connection.execute(_NEW_VERSION, self.project.id)
            await connection.execute(
                "DELETE FROM deliveries WHERE subscription_id = ANY($1) AND status <> 'delivered'", ids
            )
        finally:
            await connection.close()

    async def let_wait(self, subscription: UUID, count: int) -> int:
        """Let deliveries of `count` stored events wait for a subscription; how many there were."""
        connection = await asyncpg.connect(self._url)
        try:
            done: str = await connection.execute(
                "INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version,"
                " shard, status, next_attempt_at)"
                " SELECT e.uid, e.project_id, e.uid, $1, 1, abs(hashtext(e.uid::text)) % 16, 'pending', now()"
                " FROM events e WHERE e.shard = -1 LIMIT $2",
                subscription,
                count,
                timeout=120,
            )
            await connection.execute("ANALYZE deliveries")
            return int(done.rpartition(" ")[2])
        finally:
            await connection.close()

    async def owners(self) -> dict[str, int]:
        """How many shards each process holds."""
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch(
                "SELECT owner, count(*) FROM shards WHERE owner IS NOT NULL GROUP BY owner"
            )
            return {row[0]: row[1] for row in rows}
        finally:
            await connection.close()

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
            f"{url}/v1/projects/{self.project.name}/subscriptions",
            headers=self.project.headers,
            json={"name": "bench", "filters": [], "sink": sink},
            timeout=60,
        )
        answer.raise_for_status()
        return url + answer.headers["location"]

    def unsubscribe(self, address: str) -> None:
        """Delete a subscription."""
        httpx.delete(address, headers=self.project.headers, timeout=60).raise_for_status()
