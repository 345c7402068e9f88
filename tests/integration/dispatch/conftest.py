"""Events stored as ingest stores them, subscriptions as the API saves them, and a dispatcher."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.dispatch.handler import Dispatch, create
from functions.ingest.settings import IngestSettings
from shared.auth.sealing import seal
from shared.auth.sink_secrets import seal_credentials
from shared.core.cloudevents import DataKind, Event
from shared.core.credentials import secret_of, shown
from shared.intake.committer import Committer, Stored
from shared.runtime.local_broker import LocalBroker
from shared.runtime.resources import Resources
from tests.support.projects import Project
from tests.support.waiting import PATIENCE_SECONDS

TYPES = ("dev.weir.wake", "dev.weir.tick")


class World:
    """One project, a dispatcher behind a local broker, and the ways to put something in."""

    def __init__(self, resources: Resources, pool: asyncpg.Pool, project: Project) -> None:
        self.resources = resources
        self.pool = pool
        self.project = project
        self.committer = Committer(resources, IngestSettings())
        self.handlers: list[Dispatch] = []

    def start(self, resources: Resources | None = None) -> Dispatch:
        """A dispatcher that is woken by what is sent."""
        resources = resources or self.resources
        if resources.wake.local is None:
            resources.wake.local = LocalBroker()
        handler = create(resources)
        resources.wake.local.subscribe(handler, TYPES)
        self.handlers.append(handler)
        return handler

    async def crash(self, handler: Dispatch, resources: Resources) -> None:
        """The process is gone without a word: its tasks end, and later its leases."""
        dispatcher = handler._dispatcher
        await dispatcher._stop()
        dispatcher._gates.cancel()
        await dispatcher._gates.settle()
        await dispatcher._sender.close()
        await dispatcher._client.close()
        await resources.close()
        await self.pool.execute("UPDATE shards SET lease_until = now() - interval '1 second'")

    def tick(self) -> None:
        self.resources.wake.local.send({"type": "dev.weir.tick", "source": "/weir", "data": {}})

    async def subscribe(
        self,
        sink: str,
        filters: list[Any] | None = None,
        secrets: list[str] | None = None,
        state: str = "active",
        auth: dict[str, Any] | None = None,
        tls: dict[str, Any] | None = None,
        jsonata: str | None = None,
        **delivery: Any,
    ) -> UUID:
        identity = uuid4()
        hidden = {"auth": auth and secret_of(auth), "privateKey": tls and tls.get("privateKey")}
        credentials = seal_credentials(
            self.resources.settings.sealing, identity, {k: v for k, v in hidden.items() if v}
        )
        sealed = None
        if secrets is not None:
            import msgspec

            sealed = seal(self.resources.settings.sealing, msgspec.json.encode(secrets))
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery,"
                " signing_secrets_sealed, state, auth, tls, transform, credentials_sealed)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                identity,
                self.project.id,
                f"s-{identity.hex[:8]}",
                filters or [],
                sink,
                delivery,
                sealed,
                state,
                auth and shown(auth),
                tls and {name: tls.get(name) for name in ("certificate", "ca")},
                jsonata and {"jsonata": jsonata},
                credentials,
            )
            await connection.execute(
                "UPDATE projects SET version = version + 1 WHERE id = $1", self.project.id
            )
        return identity

    async def send(self, *events: Event) -> list[Stored]:
        return await self.committer.store(self.project.id, "key:test", events)

    async def emit(self, count: int = 1, **attributes: Any) -> list[UUID]:
        stored = await self.send(*(event(**attributes) for _ in range(count)))
        return [one.uid for one in stored]

    async def deliveries(self) -> list[asyncpg.Record]:
        """In the order of their events: their own ids say no more than the millisecond."""
        return await self.pool.fetch(
            "SELECT * FROM deliveries WHERE project_id = $1 ORDER BY event_uid, id", self.project.id
        )

    async def until(self, condition: Callable[[], Awaitable[Any]], timeout: float = PATIENCE_SECONDS) -> Any:
        """The first true answer of `condition`."""
        deadline = time.monotonic() + timeout
        while not (answer := await condition()):
            if time.monotonic() > deadline:
                rows = await self.deliveries()
                shown = [(r["status"], r["held"], r["next_attempt_at"], r["last_error"]) for r in rows[:10]]
                raise AssertionError(f"not within {timeout} s: {len(rows)} deliveries, {shown}")
            await asyncio.sleep(0.02)
        return answer

    async def settled(self, count: int = 1, timeout: float = PATIENCE_SECONDS) -> list[asyncpg.Record]:
        """All deliveries, as soon as there are `count` and none waits any more."""

        async def check() -> list[asyncpg.Record] | None:
            rows = await self.deliveries()
            ended = all(r["ended_at"] is not None and r["next_attempt_at"] is None for r in rows)
            return rows if len(rows) >= count and ended else None

        return await self.until(check, timeout)


def event(data: bytes | None = b'{"n": 1}', **attributes: Any) -> Event:
    known = {"id": uuid4().hex, "source": "/tests", "type": "com.example.made", **attributes}
    fields = {k: known.pop(k) for k in list(known) if k in Event.__slots__}
    kind = DataKind.JSON if data is not None else DataKind.NONE
    return Event(
        **{
            "specversion": "1.0",
            "datacontenttype": None if data is None else "application/json",
            **fields,
        },
        extensions=known,
        data=data,
        data_kind=kind,
    )


async def nothing_waits(pool: asyncpg.Pool) -> None:
    """Shards are shared by all tests on this database: what one leaves waiting keeps them from being idle.

    A process that a test has killed would hold its shards until their lease runs out.
    """
    await pool.execute("DELETE FROM subscriptions")
    await pool.execute("UPDATE deliveries SET next_attempt_at = NULL WHERE next_attempt_at IS NOT NULL")
    await pool.execute("UPDATE shards SET owner = NULL, lease_until = NULL WHERE owner IS NOT NULL")
    await pool.execute("DELETE FROM dispatchers")


@pytest.fixture
async def world(resources: Resources, pool: asyncpg.Pool, project: Project) -> AsyncIterator[World]:
    await nothing_waits(pool)
    made = World(resources, pool, project)
    yield made
    for handler in made.handlers:
        await handler.drain()
    await nothing_waits(pool)
