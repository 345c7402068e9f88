"""Searching, a timeline, the overview and the dead letters, on little and on much: the same, and as fast?

    python -m tests.bench.explore [--sizes 10000,1000000] [--days 10] [--rounds 60] [--home build/explore]

Each size is a database of its own, filled once by `tests/bench/stored.py` and kept under `--home`; the figures are of
requests through the whole function (its routes, checks and SQL as the roles of a deployment), one after the other,
each for another value, as the first and the hundredth person would ask. Prints a table, and JSON to build/explore.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import msgspec
from pydantic import SecretStr

from cli.local.servers import PostgresServer, RedisServer
from functions.explore.app import create
from shared.db.migrate import migrate
from shared.rollups.upkeep import refresh
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.bench.page import put_section
from tests.bench.stored import TYPES, Made, fill
from tests.support.projects import Project, create_key, create_project
from tests.support.served import ROOT

GOAL_MS = 50.0
GOAL_GROWTH = 2.0
SECRET = SecretStr("measured, not used: 32 signs or so")

HEAD = """Requests through the whole function `explore`, one after the other and each for another value, on databases that
`tests/bench/stored.py` filled: `python -m tests.bench.explore {command}`, {now:%Y-%m-%d}, the machine's load then {load:.0f}. The goal is a p95 below
50 ms that grows less than twofold; the plans are asserted by `tests/integration/explore/test_plans.py`."""

BOUNDED = "What looks at a bounded number of rows, and says how far it came: not as fast, and on more no slower from there on."

Asked = tuple[str, list[tuple[str, dict[str, Any]]]]
"""A figure's name, and paths with their parameters, one after the other."""


def questions(made: Made, now: datetime) -> Iterator[Asked]:
    """What is asked, of values from the oldest to the newest event."""
    hour = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}
    week = {"since": (now - timedelta(days=7)).isoformat(), "until": now.isoformat()}
    yield "newest events", [("/events", {"limit": 50})]
    yield "events of a type", [("/events", {"type": name}) for name, _, _ in TYPES]
    yield "events of a subject", [("/events", {"subject": one}) for one in made.subjects]
    yield "events with an id", [("/events", {"id": one}) for one in made.ids]
    yield (
        "events with a facet",
        [("/events", {"facet": f"order:{one.partition('/')[2]}"}) for one in made.subjects],
    )
    yield "events of a frequent facet", [("/events", {"facet": f"country:{one}"}) for one in ("DE", "NO")]
    yield "dead of one type", [("/events", {"outcome": "dead", "type": name}) for name, _, _ in TYPES[:4]]
    yield "dead letters", [("/deliveries", {"status": "dead"})]
    yield (
        "dead letters of a sink with 503",
        [("/deliveries", {"status": "dead", "statusCode": "503", "sink": "http://crm-customer.test/"})],
    )
    yield (
        "deliveries of a subscription",
        [("/deliveries", {"subscription": str(one)}) for one in made.subscriptions],
    )
    yield "one event's timeline", [(f"/events/{one}", {}) for one in made.uids]
    yield "overview, an hour", [("/overview", hour)]
    yield "overview, a week", [("/overview", week)]


def beside(made: Made, now: datetime) -> Iterator[Asked]:
    """What looks at a bounded number of rows: not as fast, and no slower on more."""
    hour = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}
    yield "histogram, an hour", [("/events/histogram", hour)]
    yield "histogram of everything", [("/events/histogram", {})]
    yield "facets, an hour", [("/events/facets", hour)]
    yield "text that nothing has", [("/events", {"q": "nowhere to be found"})]
    yield (
        "events with an extension",
        [("/events", {"extension": f"partitionkey:{one}"}) for one in made.customers],
    )


async def measure(client: httpx.AsyncClient, asked: Asked, rounds: int) -> dict[str, float]:
    """Milliseconds of `rounds` requests."""
    name, paths = asked
    took = []
    # Spread over all values, whatever their number: neighbours lie on the same pages.
    ways = cycle(paths[:: max(len(paths) // rounds, 1)])
    for number in range(rounds + 5):
        path, params = next(ways)
        began = time.perf_counter()
        answer = await client.get(path, params=params)
        if answer.status_code != 200:
            raise SystemExit(f"{name}: {answer.text}")
        if number >= 5:
            took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return {"p50": statistics.median(took), "p95": took[int(len(took) * 0.95)]}


async def filled(server: PostgresServer, redis_url: str, size: int, days: int) -> tuple[str, Project, Made]:
    """The database with so many events, made now or before."""
    name = f"explore_{size}_{days}"
    url = urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))
    note = server.home / f"{name}.json"
    settings = Settings(database_url=SecretStr(url), redis_url=SecretStr(redis_url), secret=SECRET)
    if not note.exists():
        admin = await asyncpg.connect(server.url)
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await admin.execute(f'CREATE DATABASE "{name}"')
        await admin.close()
        await migrate(url)
        connection = await asyncpg.connect(url, command_timeout=3600)
        project = await create_project(connection, settings)
        print(f"storing {size:,} events", file=sys.stderr)
        began = time.perf_counter()
        made = await fill(connection, project.id, size, days)
        print(f"  took {time.perf_counter() - began:,.0f} s", file=sys.stderr)
        await connection.close()
        await count(settings, project)
        note.write_bytes(msgspec.json.encode({"project": [project.id, project.name], "made": made}))
    kept = msgspec.json.decode(note.read_bytes())
    made = msgspec.convert(kept["made"], Made)
    connection = await asyncpg.connect(url)
    project_id, project_name = kept["project"]
    project = Project(project_id, project_name, await create_key(connection, settings, project_id))
    await connection.close()
    return url, project, made


async def count(settings: Settings, project: Project) -> None:
    """Have the counts made that screens show, as housekeeping does every minute."""
    resources = Resources(settings)
    pool = await resources.pg()
    await refresh(pool, project.id, budget_seconds=3600)
    await resources.close()


async def figures(
    server: PostgresServer, redis_url: str, size: int, chosen: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Every figure on so many events."""
    url, project, made = await filled(server, redis_url, size, chosen.days)
    resources = Resources(
        Settings(database_url=SecretStr(url), redis_url=SecretStr(redis_url), secret=SECRET)
    )
    found = {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create(resources)),
        base_url=f"http://weir/v1/projects/{project.name}",
        headers=project.headers,
        timeout=120,
    ) as client:
        now = datetime.now(UTC)
        for asked in (*questions(made, now), *beside(made, now)):
            found[asked[0]] = await measure(client, asked, chosen.rounds)
            print(f"  {asked[0]}: {found[asked[0]]['p95']:.1f} ms", file=sys.stderr)
    await resources.close()
    return found


def table(by_size: dict[int, dict[str, dict[str, float]]], names: Sequence[str]) -> str:
    """A row a figure: p50 and p95 on each size, and by how much the last is slower than the first."""
    sizes = list(by_size)
    lines = [
        "| p50 / p95, ms | " + " | ".join(f"{size:,} events" for size in sizes) + " | growth of p95 |",
        "|---|" + "---:|" * (len(sizes) + 1),
    ]
    for name in names:
        cells = [f"{by_size[size][name]['p50']:.1f} / {by_size[size][name]['p95']:.1f}" for size in sizes]
        growth = by_size[sizes[-1]][name]["p95"] / by_size[sizes[0]][name]["p95"]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {growth:.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Fill what is not there, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,1000000")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--home", type=Path, default=ROOT / "build/explore")
    chosen = parser.parse_args()
    chosen.home.mkdir(parents=True, exist_ok=True)
    os.chmod(chosen.home, 0o755)  # noqa: PTH101 Postgres runs as another user where this is root
    server = PostgresServer(chosen.home, None)
    redis = RedisServer(chosen.home / "redis", None)
    server.start()
    redis.start()
    try:
        sizes = [int(size) for size in chosen.sizes.split(",")]
        by_size = {size: asyncio.run(figures(server, redis.url, size, chosen)) for size in sizes}
    finally:
        redis.stop()
        server.stop()
    now = datetime.now(UTC)
    held = [name for name, _ in questions(Made(), now)]
    bounded = [name for name, _ in beside(Made(), now)]
    found = f"{table(by_size, held)}\n\n{BOUNDED}\n\n{table(by_size, bounded)}"
    print(found)
    put_section(
        "Search",
        f"{HEAD.format(command=' '.join(sys.argv[1:]), now=now, load=os.getloadavg()[0])}\n\n{found}",
    )
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/explore.json").write_text(json.dumps(by_size, indent=2) + "\n")
    slow = [name for name in held if by_size[sizes[-1]][name]["p95"] > GOAL_MS]
    grown = [
        name
        for name in held
        if by_size[sizes[-1]][name]["p95"] > max(GOAL_GROWTH * by_size[sizes[0]][name]["p95"], 5.0)
    ]
    print(
        f"\nslower than {GOAL_MS:.0f} ms: {', '.join(slow) or 'none'}; grown past {GOAL_GROWTH:.0f} times: {', '.join(grown) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
