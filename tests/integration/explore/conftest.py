from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import httpx
import pytest

from functions.explore.app import create
from shared.core.ids import uuid7
from shared.runtime.resources import Resources
from tests.support.projects import Project


@pytest.fixture(autouse=True)
def counts_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long counting takes here: a reader is shown what is there after a moment, and the rest is counted later."""
    for name in ("WAIT_SECONDS", "FIRST_WAIT_SECONDS", "BUDGET_SECONDS"):
        monkeypatch.setattr(f"functions.explore.stats.freshness.{name}", 60.0)


@pytest.fixture
async def client(resources: Resources, project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """The function, asked with the project's key below its address."""
    transport = httpx.ASGITransport(create(resources))
    base = f"http://weir.test/v1/projects/{project.name}"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=project.headers) as opened:
        yield opened


@pytest.fixture
async def subscription(pool: asyncpg.Pool, project: Project) -> UUID:
    """An active subscription to `com.example.tested` with its first version."""
    return await subscribe(pool, project.id, "tested", [{"exact": {"type": "com.example.tested"}}])


async def subscribe(
    pool: asyncpg.Pool, project_id: UUID, name: str, filters: list, state: str = "active"
) -> UUID:
    made = uuid7()
    await pool.execute(
        """
        INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery, state, created_at, updated_at)
        VALUES ($1, $2, $3, $4, 'http://sink.test/', '{}', $5, '2026-01-01', '2026-01-01')
        """,
        made,
        project_id,
        name,
        filters,
        state,
    )
    await pool.execute(
        """
        INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)
        VALUES ($1, 1, $2, $3, $4, 'http://sink.test/')
        """,
        made,
        project_id,
        name,
        filters,
    )
    return made
