"""Records made by hand, for tests of what becomes of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.audit.by import By
from shared.audit.record import record
from shared.runtime import registry
from shared.runtime.resources import Resources
from shared.runtime.routes import Routes
from tests.support.projects import Project
from tests.support.routes import ENDPOINTS, app_of

Keep = Callable[..., Awaitable[None]]


@pytest.fixture
def by() -> By:
    return By("key", "abcdefghijkl", "key", name="ci", agent="curl/8", address="198.51.100.7")


@pytest.fixture
def keep(pool: asyncpg.Pool, by: By) -> Keep:
    async def keep(project_id: UUID | None, action: str = "producer.changed", **about: Any) -> None:
        about = {"id": uuid4(), "name": "shop", **about}
        async with pool.acquire() as connection, connection.transaction():
            await record(connection, about.pop("by", by), action, project_id=project_id, **about)

    return keep


@pytest.fixture
def rows(pool: asyncpg.Pool) -> Callable[[UUID], Awaitable[list[asyncpg.Record]]]:
    async def rows(chain: UUID) -> list[asyncpg.Record]:
        return await pool.fetch("SELECT * FROM audit WHERE chain = $1 ORDER BY sequence", chain)

    return rows


@pytest.fixture
async def api(resources: Resources, project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """Every endpoint function behind one address, asked with the project's key."""
    apps = {name: app_of(name, resources) for name in ENDPOINTS if name != "ingest"}
    routes = Routes([function for function in registry.functions() if function.name in apps])

    async def app(scope, receive, send) -> None:
        function = routes.find(scope["path"])
        assert function is not None
        await apps[function.name](scope, receive, send)

    transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8480", headers=project.headers
    ) as opened:
        yield opened
