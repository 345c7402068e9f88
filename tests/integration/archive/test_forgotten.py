"""After an erasure its subject is nowhere: the whole database and the whole archive are looked through for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.archive.app import create as create_archive
from functions.explore.app import create as create_explore
from functions.replays.app import create as create_replays
from functions.subscriptions.app import create as create_subscriptions
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day, bytes_of
from tests.support import stream

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""


class Asking:
    """Asks each function below `/v1/projects/{project}`."""

    def __init__(self, clients: dict[str, httpx.AsyncClient]) -> None:
        self._clients = clients

    async def __call__(self, function: str, method: str, path: str, body: object = None) -> Any:
        answer = await self._clients[function].request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
async def ask(resources: Resources, keeping: Keeping) -> AsyncIterator[Asking]:
    made = {
        "archive": create_archive,
        "explore": create_explore,
        "replays": create_replays,
        "subscriptions": create_subscriptions,
    }
    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app=create(resources)),
                    base_url=f"http://weir/v1/projects/{keeping.project.name}",
                    headers=keeping.project.headers,
                )
            )
            for name, create in made.items()
        }
        yield Asking(clients)


@pytest.fixture(name="word")
def _word() -> str:
    """A subject that no other test has named."""
    return f"mara-{uuid4().hex[:8]}@example.org"


async def places(pool: asyncpg.Pool, word: str) -> set[str]:
    """The tables in whose rows a word is, as text or as bytes."""
    found = set()
    for (table,) in await pool.fetch(TABLES):
        there = await pool.fetchval(
            f"SELECT EXISTS (SELECT FROM {table} t WHERE strpos(lower(t::text), $1) > 0 OR strpos(t::text, $2) > 0)",
            word,
            word.encode().hex(),
        )
        if there:
            found.add(table)
    return found


async def an_event_of(keeping: Keeping, uids: list[UUID], word: str) -> None:
    """What became of an event names its subject too."""
    detail = {"response": {"body": f"who is {word}?"}}
    delivery = await stream.deliver(
        keeping.pool,
        keeping.project.id,
        uids[0],
        uuid4(),
        "dead",
        order_key=word,
        last_error=f"no such customer: {word}",
        first_error=word,
        first_detail=detail,
        dead_letter={"status": "dead", "dest": f"http://sink/{word}"},
    )
    await keeping.pool.execute(
        "INSERT INTO attempts (delivery_id, number, project_id, started_at, duration_us, error, detail)"
        " VALUES ($1, 2, $2, now(), 1, $3, $4)",
        delivery,
        keeping.project.id,
        word,
        detail,
    )


async def test_the_subject_is_nowhere_afterwards(ask: Asking, keeping: Keeping, word: str) -> None:
    day, name = a_day(), f"for-{uuid4().hex[:6]}"
    given = {"subject": word, "data": b'{"of": "%s"}' % word.encode(), "extensions": {"customer": word}}
    await an_event_of(
        keeping, await keeping.store([stream.an_event(1, **given), stream.an_event(2)], day), word
    )
    await keeping.keep(7)
    await keeping.tick()
    recent = await stream.store(
        keeping.pool, keeping.project.id, [stream.an_event(3, **given)], facets=[{"customer": word}]
    )
    await an_event_of(keeping, recent, word)

    # What people ask for, and keep.
    query = {"subject": [word], "q": f"of {word.upper()}"}
    await ask("explore", "POST", "/searches", {"name": f"Orders {name}", "page": "events", "query": query})
    filters = [{"exact": {"subject": word}}, {"sql": f"subject <> '{word}'"}]
    made = uuid4()
    async with keeping.pool.acquire() as connection, connection.transaction():
        # As the API saves them: the log of their changes keeps what the way back to them needs.
        await connection.execute(
            "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery, version)"
            " VALUES ($1, $2, $3, '[]', 'http://sink.example/', '{}', 2)",
            made,
            keeping.project.id,
            name,
        )
        await connection.execute(
            "INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)"
            " VALUES ($1, 1, $2, $3, $4, 'http://sink.example/')",
            made,
            keeping.project.id,
            name,
            filters,
        )
    await ask(
        "replays",
        "POST",
        "/replays",
        {"select": {"since": "2020-01-01T00:00:00Z", "status": "cancelled", "q": word}},
    )
    hold = await ask("archive", "POST", "/holds", {"name": "A case", "subject": word})
    await ask("archive", "DELETE", f"/holds/{hold['id']}")
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    span = {"since": start.isoformat(), "until": (start + timedelta(days=1)).isoformat()}
    await ask("archive", "POST", "/archive/recalls", {**span, "subject": word})
    # No dispatch has ever read anything in the tests' database.
    await keeping.pool.execute("UPDATE events SET shard = 100 WHERE project_id = $1", keeping.project.id)
    assert word.encode() in bytes_of(keeping)
    assert await places(keeping.pool, word) >= {
        *("attempts", "deliveries", "events", "holds", "recalls", "replays"),
        *("saved_searches", "subscription_versions"),
    }

    erasure = await ask("archive", "POST", "/erasures", {"subject": word, "reason": "asked for"})
    for _ in range(4):
        await keeping.tick()
    done = await ask("archive", "GET", f"/erasures/{erasure['id']}")
    assert (done["state"], done["keptIn"], done["events"]) == ("done", [], 2)
    assert await places(keeping.pool, word) == set()
    assert word.encode() not in bytes_of(keeping)
    mark = f"erased:{done['digest'][:12]}"
    assert await places(keeping.pool, mark) >= {"holds", "recalls", "replays", "subscription_versions"}
    (search,) = (await ask("explore", "GET", "/searches"))["items"]
    assert search["query"] == {"subject": [mark], "q": f"of {mark}"}


async def test_a_subscription_that_names_it_goes_on_and_is_told(
    ask: Asking, keeping: Keeping, word: str
) -> None:
    name = f"for-{uuid4().hex[:6]}"
    said = {"name": name, "sink": "http://sink.example/", "filters": [{"exact": {"subject": word}}]}
    made = await ask("subscriptions", "POST", "/subscriptions", said)
    tried = await ask("archive", "POST", "/erasures", {"subject": word, "dryRun": True})
    assert tried["keptIn"] == [name]
    erasure = await ask("archive", "POST", "/erasures", {"subject": word})
    await keeping.tick()
    assert (await ask("archive", "GET", f"/erasures/{erasure['id']}"))["keptIn"] == [name]
    assert (await ask("subscriptions", "GET", f"/subscriptions/{made['id']}"))["filters"] == said["filters"]
    assert await places(keeping.pool, word) == {"audit", "subscription_versions", "subscriptions"}
    await ask("subscriptions", "DELETE", f"/subscriptions/{made['id']}")
    await ask("archive", "POST", "/erasures", {"subject": word})
    await keeping.tick()
    # The log cannot be changed, and proves what was to be delivered where.
    assert await places(keeping.pool, word) == {"audit"}


async def test_a_hold_that_names_it_keeps_it_until_it_is_lifted(
    ask: Asking, keeping: Keeping, word: str
) -> None:
    hold = await ask("archive", "POST", "/holds", {"name": "A case", "subject": word})
    erasure = await ask("archive", "POST", "/erasures", {"subject": word})
    await keeping.tick()
    path = f"/erasures/{erasure['id']}"
    assert [(await ask("archive", "GET", path))[name] for name in ("state", "held")] == ["held", 0]
    await ask("archive", "DELETE", f"/holds/{hold['id']}")
    await keeping.tick()
    assert (await ask("archive", "GET", path))["state"] == "done"
    assert await places(keeping.pool, word) == set()
