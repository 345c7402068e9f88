"""What the second wall between projects costs: the same work as the two roles, and as the owner, in turns.

    python -m tests.bench.tenancy [--rounds 15]

Both run in one process on one migrated database; the owner's pool is that of the version before. Times are those of
processors, this process's and the server's: what else a machine does makes a request slower, but no dearer. Prints
JSON: for each figure the medians, and the ratio of the roles to the owner.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx
from pydantic import SecretStr

from cli.local.servers import PostgresServer, RedisServer
from functions.explore.app import create as create_explore
from functions.ingest.settings import IngestSettings
from functions.subscriptions.app import create as create_subscriptions
from shared.core.cloudevents import Event
from shared.db import pool as pools
from shared.db.migrate import migrate
from shared.intake.committer import Committer
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support import stream
from tests.support.projects import Project, create_project

BATCH, AT_ONCE = 500, 4
REQUESTS = 20
EVENTS = 20_000


async def as_owner(settings: Settings) -> Resources:
    """Resources whose pools take on no role."""
    real = pools.open_pool

    async def without(*arguments: Any, **options: Any) -> Any:
        return await real(*arguments, **{**options, "role": None})

    resources = Resources(settings)
    with patch.object(pools, "open_pool", without):
        for opening in (resources.pg, resources.stream, resources._of.get):
            await opening()
    return resources


class Processors:
    """How much processor time this process and a server have used up to now, in seconds."""

    def __init__(self, server: int) -> None:
        self._server = server

    def used(self) -> float:
        """Of the server's processes those that are there: pools keep their connections meanwhile."""
        nanoseconds = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
                if parent == self._server:
                    nanoseconds += int((folder / "schedstat").read_text().split()[0])
            except (OSError, ValueError):
                continue
        return time.process_time() + nanoseconds / 1e9


async def requests(client: httpx.AsyncClient, path: str) -> int:
    """Some, one after the other; how many."""
    for _ in range(REQUESTS):
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
    return REQUESTS


async def batches(committer: Committer, project: Project) -> int:
    """Store some at once; how many events."""
    made = [
        [Event("1.0", f"{uuid4()}", "/bench", "t", data=b"x" * 1024) for _ in range(BATCH)]
        for _ in range(AT_ONCE)
    ]
    await asyncio.gather(*(committer.store(project.id, "key:b", batch) for batch in made))
    return AT_ONCE * BATCH


async def measure(url: str, server: int, redis_url: str, rounds: int) -> dict[str, dict[str, float]]:
    """Every figure as the roles and as the owner."""
    await migrate(url)
    settings = Settings(
        database_url=SecretStr(url), redis_url=SecretStr(redis_url), secret=SecretStr("bench" * 8)
    )
    sides = {"owner": await as_owner(settings), "roles": Resources(settings)}
    owner = await sides["owner"].pg()
    project = await create_project(owner, settings)
    events = [stream.an_event(n, type=f"t{n % 50}", data=b'{"n": 1}') for n in range(EVENTS)]
    facets = [{"order": str(n)} for n in range(EVENTS)]
    uids = await stream.store(owner, project.id, events, facets=facets)
    subscription = uuid4()
    await owner.execute(
        "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery) VALUES ($1, $2, 's', '[]', 'https://example.com', '{}')",
        subscription,
        project.id,
    )
    for uid in uids[-200:]:
        await stream.deliver(owner, project.id, uid, subscription)
    await owner.execute("VACUUM ANALYZE")
    found: dict[str, dict[str, list[float]]] = {}

    processors = Processors(server)

    async def take_turns(name: str, works: dict[str, Callable[[], Awaitable[int]]]) -> None:
        """A few of each, again and again, in microseconds for one."""
        noted = found.setdefault(name, {side: [] for side in works})
        for turn in range(rounds):
            for side in sorted(works, reverse=bool(turn % 2)):
                began = processors.used()
                count = await works[side]()
                noted[side].append((processors.used() - began) / count * 1e6)

    async with AsyncExitStack() as opened:
        for name, create, path in (
            ("list of 50 events, µs", create_explore, "/events?limit=50"),
            ("events of a type, µs", create_explore, "/events?type=t7"),
            ("events with a facet, µs", create_explore, "/events?facet=order:77"),
            ("an event with its deliveries, µs", create_explore, f"/events/{uids[-1]}"),
            ("one subscription, µs", create_subscriptions, f"/subscriptions/{subscription}"),
        ):
            clients = {
                side: await opened.enter_async_context(
                    httpx.AsyncClient(
                        transport=httpx.ASGITransport(create(resources)),
                        base_url=f"http://weir/v1/projects/{project.name}",
                        headers=project.headers,
                    )
                )
                for side, resources in sides.items()
            }
            await take_turns(name, {side: partial(requests, c, path) for side, c in clients.items()})
        committers = {side: Committer(resources, IngestSettings()) for side, resources in sides.items()}
        await take_turns(
            "storing an event in batches, µs",
            {side: partial(batches, committer, project) for side, committer in committers.items()},
        )
    for resources in sides.values():
        await resources.close()
    return {
        name: {
            **{side: round(statistics.median(values), 1) for side, values in by.items()},
            "ratio": round(statistics.median(by["roles"]) / statistics.median(by["owner"]), 3),
        }
        for name, by in found.items()
    }


def main() -> int:
    """Start servers, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        postgres, redis = PostgresServer(Path(folder) / "pg", None), RedisServer(Path(folder) / "redis", None)
        postgres.start()
        redis.start()
        try:
            print(
                json.dumps(
                    asyncio.run(measure(postgres.url, postgres._process.pid, redis.url, chosen.rounds)),
                    indent=2,
                )
            )
        finally:
            redis.stop()
            postgres.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
